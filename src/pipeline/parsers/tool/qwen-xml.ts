/**
 * `<tool_call><function=NAME><parameter=KEY>VALUE</parameter>…</function></tool_call>`: Qwen3 Coder, Qwen 3.5. Source: the
 * chat template of Qwen3 Coder.
 */
import { TextAutomaton } from '../../text-automaton.ts';
import type { Reading } from '../text-reader.ts';
import type { CallParts } from './define.ts';
import { blocks, defineToolFormat } from './define.ts';
import { MAX_VALUE_CHARS, ParameterWriter, withoutFrame } from './parameters.ts';

const NAME_CHARS = 256;
const afterName = new TextAutomaton(['>']);
const afterValue = new TextAutomaton(['</parameter>']);

function* readFunction({ reader, calls }: CallParts): Reading {
  const name = yield* reader.until(afterName, NAME_CHARS);
  const called = name.text.trim();
  if (name.found < 0 || !calls.isTool(called)) return;
  reader.drop();
  calls.start(called);
  yield* readParameters({ reader, calls }, new ParameterWriter(calls, called));
  calls.end();
  yield* reader.skipSpace();
  yield* reader.literal('</tool_call>');
}

function* readParameters({ reader }: CallParts, parameters: ParameterWriter): Reading {
  for (;;) {
    yield* reader.skipSpace();
    if (!(yield* reader.literal('<parameter='))) break;
    const key = yield* reader.until(afterName, NAME_CHARS);
    if (key.found < 0) return;
    const value = yield* reader.until(afterValue, MAX_VALUE_CHARS);
    if (value.found < 0) return parameters.addCut(key.text.trim(), value.text);
    parameters.add(key.text.trim(), withoutFrame(value.text));
  }
  if ((yield* reader.literal('</function>')) || (yield* reader.peek()) !== undefined) parameters.close();
}

const grammar = blocks(['<tool_call>', '<function='], function* readBlock(parts, found) {
  const { reader } = parts;
  if (found === 0) {
    yield* reader.skipSpace();
    if (!(yield* reader.literal('<function='))) return;
  }
  yield* readFunction(parts);
});

const markers = ['<tool_call>', '</tool_call>'];

export const qwenXml = defineToolFormat({
  id: 'qwen_xml',
  models: ['qwen3.5', 'qwen3-coder', 'qwen3.6', 'qwen3-next-coder'],
  markers,
  grammar,
});

export const qwenCoder = defineToolFormat({ id: 'qwen_coder', models: [], markers, grammar });
