/** The page about engines behind gRPC says what the code does: its tables are those of the code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { tokenEngines } from '../../src/backends/grpc/engines/index.ts';
import type { TokenEngine } from '../../src/backends/grpc/engines/token-engine.ts';
import type { TokenOrder } from '../../src/domain/token-generation.ts';
import { errorTable } from '../../src/domain/errors.ts';
import { REASONING_FORMATS } from '../../src/pipeline/parsers/reasoning/index.ts';
import { TOOL_FORMATS } from '../../src/pipeline/parsers/tool/index.ts';
import { orderOf } from '../support/token-order.ts';

const page = readFileSync(new URL('../../docs/guides/grpc-engines.md', import.meta.url), 'utf8');

/** The rows below the line that begins with this, without the line of dashes. */
function rowsBelow(head: string): string[] {
  const lines = page.split('\n');
  const at = lines.findIndex((line) => line.startsWith(`| ${head} |`));
  assert.ok(at > 0, head);
  const rows = lines.slice(at + 2);
  return rows.slice(
    0,
    rows.findIndex((line) => !line.startsWith('|')),
  );
}

interface Format {
  readonly id: string;
  readonly models: readonly string[];
}

const formatRow = ({ id, models }: Format) =>
  `| \`${id}\` | ${models.length === 0 ? 'none: by this flag only' : models.map((name) => `\`${name}\``).join(', ')} |`;
const PASSTHROUGH = '| `passthrough` | none: all of it is text |';

test('the forms of thoughts and of calls are those of the flags', () => {
  assert.deepEqual(rowsBelow('`--reasoning-parser`'), [...REASONING_FORMATS.map(formatRow), PASSTHROUGH]);
  assert.deepEqual(rowsBelow('`--tool-call-parser`'), [...TOOL_FORMATS.map(formatRow), PASSTHROUGH]);
});

const TITLES = {
  sglang: 'SGLang',
  vllm: 'vLLM',
  trtllm: 'TensorRT-LLM',
  tokenspeed: 'TokenSpeed',
  mlx: 'MLX',
} as const;
/** As clients know it. */
const asked = (name: string) => `\`${name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}\``;
const said = (has: boolean) => (has ? 'yes' : 'no');

function takes(engine: TokenEngine, order: TokenOrder): string {
  return said(engine.refusalOf(order) === undefined);
}

function engineRow(engine: TokenEngine): string {
  const lacking = engine.lacks.filter((name) => name !== 'beginsInThought').map(asked);
  const bound = orderOf({}, { constraint: { kind: 'json_schema', text: '{}' } });
  const cells = [
    TITLES[engine.name],
    lacking.join(', ') || 'nothing',
    takes(engine, bound),
    takes(engine, orderOf({ adapter: 'one' })),
    said(engine.embed !== undefined),
    said(engine.loads !== undefined),
    said(engine.flushCache !== undefined && engine.startProfile !== undefined),
  ];
  return `| ${cells.join(' | ')} |`;
}

test('what each engine has is what its file says', () => {
  assert.deepEqual(rowsBelow('Engine'), tokenEngines.map(engineRow));
});

test('errors are named that there are', () => {
  const codes = rowsBelow('Code').flatMap((row) =>
    [...(row.split(' | ')[0] ?? '').matchAll(/`(\w+)`/g)].map(([, code]) => code),
  );
  assert.ok(codes.length > 8);
  for (const code of codes) assert.ok(code !== undefined && code in errorTable, code);
});
