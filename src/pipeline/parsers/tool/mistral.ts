/**
 * `[TOOL_CALLS] [{"name": …, "arguments": {…}}, …]`, and as newer models write it `[TOOL_CALLS]name[ARGS]{…}`, once for
 * each call and with `[CALL_ID]…` behind the name of some. Ids of calls have nine letters and digits: the models'
 * templates refuse others. Source: the chat templates of Mistral 7B v0.3, Ministral 3 and Devstral Small 2.
 */
import type { Reading } from '../text-reader.ts';
import type { CallParts } from './define.ts';
import { blocks, defineToolFormat } from './define.ts';
import { readJsonCall, readJsonCalls } from './json-call.ts';

const ID_CHARS = 9;
const NAME_CHARS = 256;

export const mistral = defineToolFormat({
  id: 'mistral',
  models: ['mistral', 'mixtral', 'ministral', 'magistral', 'devstral', 'codestral', 'pixtral'],
  markers: ['[TOOL_CALLS]', '[ARGS]', '[CALL_ID]'],
  callIdOf: (call) => call.newId('').slice(-ID_CHARS),
  grammar: blocks(['[TOOL_CALLS]'], function* readBlock(parts) {
    const { reader } = parts;
    yield* reader.skipSpace();
    if (yield* reader.literal('[')) yield* readJsonCalls(parts);
    else if ((yield* reader.peek()) === '{') yield* readJsonCall(parts);
    else yield* readNamed(parts);
  }),
});

function* readNamed({ reader, calls }: CallParts): Reading {
  const name = yield* reader.word(/[^\s[{]/, NAME_CHARS);
  if (!calls.isTool(name)) return;
  if (yield* reader.literal('[CALL_ID]')) yield* reader.word(/\w/, NAME_CHARS);
  yield* reader.literal('[ARGS]');
  yield* reader.skipSpace();
  if ((yield* reader.peek()) !== '{') return;
  reader.drop();
  calls.start(name);
  yield* reader.jsonValue((piece) => calls.arguments(piece));
  calls.end();
}
