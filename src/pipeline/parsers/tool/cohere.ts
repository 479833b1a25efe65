/**
 * `<|START_ACTION|>[{"tool_call_id": …, "tool_name": …, "parameters": {…}}]<|END_ACTION|>`; the answer itself stands between
 * marks too, which are no text. Source: the chat templates of Command R7B and Command A.
 */
import { blocks, defineToolFormat } from './define.ts';
import { readJsonCall, readJsonCalls } from './json-call.ts';

const BEGIN = '<|START_ACTION|>';
const END = '<|END_ACTION|>';
const AROUND = ['<|START_RESPONSE|>', '<|END_RESPONSE|>', '<|START_TEXT|>', '<|END_TEXT|>'];

export const cohere = defineToolFormat({
  id: 'cohere',
  models: ['command-r', 'command-r-plus', 'command-a', 'c4ai-command', 'cohere'],
  markers: [BEGIN, END, ...AROUND],
  grammar: blocks([BEGIN, ...AROUND], function* readBlock(parts, found) {
    const { reader } = parts;
    if (found > 0) return reader.drop();
    yield* reader.skipSpace();
    const isCall = (yield* reader.literal('[')) ? yield* readJsonCalls(parts) : yield* readJsonCall(parts);
    if (!isCall) return;
    yield* reader.skipSpace();
    yield* reader.literal(END);
  }),
});
