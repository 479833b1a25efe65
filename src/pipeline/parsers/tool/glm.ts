/**
 * `<tool_call>NAME` and then `<arg_key>KEY</arg_key><arg_value>VALUE</arg_value>` for each argument, up to
 * `</tool_call>`; GLM 4.5 and 4.6 put line breaks between them, 4.7 and 5 do not: both are read. Source: the chat
 * templates of GLM 4.5 and GLM 4.7.
 */
import { TextAutomaton } from '../../text-automaton.ts';
import type { Reading } from '../text-reader.ts';
import type { CallParts } from './define.ts';
import { blocks, defineToolFormat } from './define.ts';
import { MAX_VALUE_CHARS, ParameterWriter } from './parameters.ts';

const NAME_CHARS = 256;
const END = '</tool_call>';
const afterKey = new TextAutomaton(['</arg_key>']);
const afterValue = new TextAutomaton(['</arg_value>']);

const grammar = blocks(['<tool_call>'], function* readBlock(parts) {
  const { reader, calls } = parts;
  yield* reader.skipSpace();
  const name = yield* reader.word(/[^\s<]/, NAME_CHARS);
  if (!calls.isTool(name)) return;
  yield* reader.skipSpace();
  if ((yield* reader.peek()) !== '<') return;
  const hasArguments = yield* reader.literal('<arg_key>');
  if (!hasArguments && !(yield* reader.literal(END))) return;
  reader.drop();
  calls.start(name);
  const parameters = new ParameterWriter(calls, name);
  if (hasArguments) yield* readArguments(parts, parameters);
  else parameters.close();
  calls.end();
});

/** The first `<arg_key>` has been read. */
function* readArguments({ reader }: CallParts, parameters: ParameterWriter): Reading {
  do {
    const key = yield* reader.until(afterKey, NAME_CHARS);
    if (key.found < 0) return;
    yield* reader.skipSpace();
    if (!(yield* reader.literal('<arg_value>'))) return;
    const value = yield* reader.until(afterValue, MAX_VALUE_CHARS);
    if (value.found < 0) return parameters.addCut(key.text.trim(), value.text);
    parameters.add(key.text.trim(), value.text);
    yield* reader.skipSpace();
  } while (yield* reader.literal('<arg_key>'));
  if ((yield* reader.literal(END)) || (yield* reader.peek()) !== undefined) parameters.close();
}

const markers = ['<tool_call>', END, '<arg_key>', '</arg_key>', '<arg_value>', '</arg_value>'];

export const glm45 = defineToolFormat({
  id: 'glm45_moe',
  models: ['glm-4.5', 'glm-4.6', 'glm-4-5', 'glm-4-6', 'glm45', 'glm46'],
  markers,
  grammar,
});

export const glm47 = defineToolFormat({
  id: 'glm47_moe',
  models: ['glm-4.7', 'glm-4-7', 'glm47', 'glm-5'],
  markers,
  grammar,
});
