/**
 * DSML: elements whose tags carry a mark of their own, and arguments that say whether they are strings. V3.2 calls the
 * block `function_calls`, V4 `tool_calls`. Source: DeepSeek, "DeepSeek-V3.2 encoding" of the model's card; vLLM's list of
 * parsers.
 */
import { defineToolFormat } from './define.ts';
import { invokeGrammar } from './invoke.ts';

const MARK = '｜DSML｜';

function dsml(block: string) {
  return invokeGrammar({
    opening: `<${MARK}${block}>`,
    closing: `</${MARK}${block}>`,
    before: [],
    after: [],
    invoke: `<${MARK}invoke`,
    invokeEnd: `</${MARK}invoke>`,
    parameter: `<${MARK}parameter`,
    parameterEnd: `</${MARK}parameter>`,
    framesValues: false,
    escapesEntities: false,
  });
}

const markers = [MARK];

export const deepseek32 = defineToolFormat({
  id: 'deepseek32',
  models: ['deepseek-v3.2', 'deepseek-v3-2'],
  markers,
  grammar: dsml('function_calls'),
});

export const deepseekV4 = defineToolFormat({
  id: 'deepseek_v4',
  models: ['deepseek-v4'],
  markers,
  grammar: dsml('tool_calls'),
});
