/**
 * `<|python_tag|>{"name": …, "parameters": {…}}`, or an answer that is such an object; several with semicolons between
 * them. Source: Meta's model cards, "Llama 3.2 prompt formats"; vLLM, "Tool Calling" (llama3_json).
 */
import type { Reading } from '../text-reader.ts';
import type { CallParts } from './define.ts';
import { blocks, defineToolFormat } from './define.ts';
import { readJsonCall } from './json-call.ts';

function* readObjects(parts: CallParts, isBare: boolean): Reading {
  const { reader } = parts;
  yield* reader.skipSpace();
  while (yield* readJsonCall(parts, isBare)) {
    reader.hold();
    yield* reader.skipSpace();
    if (!(yield* reader.literal(';'))) break;
    yield* reader.skipSpace();
  }
  reader.tell();
}

const readTagged = blocks(['<|python_tag|>'], (parts) => readObjects(parts, false));

export const llama = defineToolFormat({
  id: 'llama',
  models: ['llama-3.1', 'llama-3.2', 'llama-3.3', 'meta-llama-3.1', 'meta-llama-3.2', 'meta-llama-3.3'],
  markers: ['<|python_tag|>'],
  grammar: function* readAnswer(parts) {
    parts.reader.hold();
    yield* readObjects(parts, true);
    yield* readTagged(parts);
  },
});
