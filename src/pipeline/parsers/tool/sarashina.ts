/** A Python list of dicts with `name` and `arguments`, behind `<|tool_calls|>` or as the whole answer: Sarashina. */
import type { Reading } from '../text-reader.ts';
import type { CallParts } from './define.ts';
import { blocks, defineToolFormat } from './define.ts';
import { jsonOfPython } from './python-literal.ts';
import { PythonScan } from './python-scan.ts';

const MARK = '<|tool_calls|>';

const readMarked = blocks([MARK], readList);

export const sarashina = defineToolFormat({
  id: 'sarashina',
  models: ['sarashina'],
  markers: [MARK],
  grammar: function* readAnswer(parts) {
    parts.reader.hold();
    yield* readList(parts);
    parts.reader.tell();
    yield* readMarked(parts);
  },
});

function* readList({ reader, calls }: CallParts): Reading {
  yield* reader.skipSpace();
  if (!(yield* reader.literal('['))) return;
  for (;;) {
    const pieces: string[] = [];
    yield* reader.scanned(new PythonScan(), (piece) => pieces.push(piece));
    const call = callIn(jsonOfPython(pieces.join('')));
    if (!calls.isTool(call?.name)) return;
    calls.whole(call.name, call.argumentsText);
    reader.hold();
    if (yield* reader.literal(']')) return reader.drop();
    if (!(yield* reader.literal(','))) return;
  }
}

function callIn(json: string | undefined): { readonly name: string; readonly argumentsText: string } | undefined {
  const value: unknown = json === undefined ? undefined : JSON.parse(json);
  if (typeof value !== 'object' || value === null || !('name' in value) || typeof value.name !== 'string')
    return undefined;
  const given = 'arguments' in value ? value.arguments : {};
  return { name: value.name, argumentsText: JSON.stringify(given ?? {}) };
}
