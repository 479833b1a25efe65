/** `<steptml:invoke name="…">` within DeepSeek-like marks around the block and each call. Source: the chat template of Step 3; vLLM's step3 parser. */
import { defineToolFormat } from './define.ts';
import { invokeGrammar } from './invoke.ts';

const ALL_BEGIN = '<｜tool_calls_begin｜>';
const ALL_END = '<｜tool_calls_end｜>';
const BEGIN = '<｜tool_call_begin｜>';
const SEPARATOR = '<｜tool_sep｜>';
const END = '<｜tool_call_end｜>';

export const step3 = defineToolFormat({
  id: 'step3',
  models: ['step3', 'step-3'],
  markers: [ALL_BEGIN, ALL_END, BEGIN, SEPARATOR, END],
  grammar: invokeGrammar({
    opening: ALL_BEGIN,
    closing: ALL_END,
    before: [BEGIN, 'function', SEPARATOR],
    after: [END],
    invoke: '<steptml:invoke',
    invokeEnd: '</steptml:invoke>',
    parameter: '<steptml:parameter',
    parameterEnd: '</steptml:parameter>',
    framesValues: true,
    escapesEntities: false,
  }),
});
