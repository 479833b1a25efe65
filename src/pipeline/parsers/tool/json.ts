/** A JSON object or a list of them anywhere in the text, without a mark: `{"name": …, "arguments": {…}}`. */
import { blocks, defineToolFormat } from './define.ts';
import { readJsonCalls, readOpenedCall } from './json-call.ts';

const LIST = 1;

export const json = defineToolFormat({
  id: 'json',
  models: ['gpt-4', 'gpt-3.5', 'gpt-4o', 'claude-', 'gemini-', 'palm-', 'gemma-', 'llama-', 'meta-llama-', 'glm-'],
  grammar: blocks(['{', '['], function* readBlock(parts, found) {
    if (found === LIST) yield* readJsonCalls(parts, true);
    else yield* readOpenedCall(parts, true);
  }),
});
