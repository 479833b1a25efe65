/**
 * A list of Python calls, `[f(a=1), g(b="x")]`, with arguments by keyword; marks around it are no text. A call is told
 * when it is whole. Source: Meta's model cards, "Llama 4 prompt formats"; vLLM, "Tool Calling" (pythonic).
 */
import type { JsonText } from '../../../domain/generation.ts';
import type { Reading, TextReader } from '../text-reader.ts';
import type { CallParts } from './define.ts';
import { blocks, defineToolFormat } from './define.ts';
import { jsonOfPython } from './python-literal.ts';
import { PythonScan } from './python-scan.ts';

const NAME_CHARS = 256;
const MARKS = ['<|python_start|>', '<|python_end|>'];

export const pythonic = defineToolFormat({
  id: 'pythonic',
  models: ['llama-4', 'meta-llama-4', 'deepseek-'],
  markers: MARKS,
  grammar: blocks(['[', ...MARKS], function* readBlock(parts, found) {
    if (found > 0) return parts.reader.drop();
    yield* readCalls(parts);
  }),
});

function* readCalls({ reader, calls }: CallParts): Reading {
  for (;;) {
    yield* reader.skipSpace();
    const name = yield* reader.word(/[\w.-]/, NAME_CHARS);
    if (!calls.isTool(name) || !(yield* reader.literal('('))) return;
    const argumentsText = yield* readKeywords(reader);
    if (argumentsText === undefined) return;
    calls.whole(name, argumentsText);
    reader.hold();
    yield* reader.skipSpace();
    if (yield* reader.literal(']')) return reader.drop();
    if (!(yield* reader.literal(','))) return;
  }
}

/** Up to the closing bracket; undefined: they are none. */
function* readKeywords(reader: TextReader): Reading<JsonText | undefined> {
  const members: string[] = [];
  for (;;) {
    yield* reader.skipSpace();
    if (yield* reader.literal(')')) return `{${members.join(', ')}}`;
    const key = yield* reader.word(/\w/, NAME_CHARS);
    yield* reader.skipSpace();
    if (key === '' || !(yield* reader.literal('='))) return undefined;
    const pieces: string[] = [];
    yield* reader.scanned(new PythonScan(), (piece) => pieces.push(piece));
    const value = jsonOfPython(pieces.join(''));
    if (value === undefined) return undefined;
    members.push(`${JSON.stringify(key)}: ${value}`);
    yield* reader.literal(',');
  }
}
