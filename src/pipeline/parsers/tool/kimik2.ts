/**
 * Calls of Kimi K2: an id `functions.NAME:INDEX`, then the arguments. Ids go on counting over the conversation, as the
 * model was trained. Source: Moonshot, "Tool Call Guidance" of Kimi K2.
 */
import { TextAutomaton } from '../../text-automaton.ts';
import type { Reading } from '../text-reader.ts';
import type { CallParts } from './define.ts';
import { blocks, defineToolFormat } from './define.ts';

const SECTION_BEGIN = '<|tool_calls_section_begin|>';
const SECTION_END = '<|tool_calls_section_end|>';
const BEGIN = '<|tool_call_begin|>';
const ARGUMENTS = '<|tool_call_argument_begin|>';
const END = '<|tool_call_end|>';
const ID_CHARS = 512;

const afterId = new TextAutomaton([ARGUMENTS]);

export const kimik2 = defineToolFormat({
  id: 'kimik2',
  models: ['kimi-k2'],
  markers: [SECTION_BEGIN, SECTION_END, BEGIN, ARGUMENTS, END],
  callIdOf: ({ name, index }) => `functions.${name}:${index}`,
  grammar: blocks([SECTION_BEGIN, BEGIN, SECTION_END], function* readBlock(parts, found) {
    const { reader, calls } = parts;
    if (found === 2) {
      if (calls.hasCalls) reader.drop();
      return;
    }
    if (found === 0) {
      yield* reader.skipSpace();
      if (!(yield* reader.literal(BEGIN))) return;
    }
    yield* readCall(parts);
  }),
});

function* readCall({ reader, calls }: CallParts): Reading {
  const id = yield* reader.until(afterId, ID_CHARS);
  const name = nameIn(id.text.trim(), (candidate) => calls.isTool(candidate));
  if (id.found < 0 || name === undefined) return;
  yield* reader.skipSpace();
  if ((yield* reader.peek()) !== '{') return;
  reader.drop();
  calls.start(name);
  yield* reader.jsonValue((piece) => calls.arguments(piece));
  calls.end();
  yield* reader.skipSpace();
  yield* reader.literal(END);
}

/** Names may have dots and hyphens, and the model may leave out what stands around them. */
function nameIn(id: string, isTool: (name: string) => boolean): string | undefined {
  const bare = id.replace(/:\d+$/, '');
  return [bare.replace(/^functions\./, ''), bare].find(isTool);
}
