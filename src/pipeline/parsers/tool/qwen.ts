/** `<tool_call>{"name": …, "arguments": {…}}</tool_call>`, once for each call: Hermes, Qwen. Source: Qwen's chat templates; vLLM, "Tool Calling" (hermes). */
import { blocks, defineToolFormat } from './define.ts';
import { readJsonCall } from './json-call.ts';

export const qwen = defineToolFormat({
  id: 'qwen',
  models: ['qwen', 'hermes', 'qwq'],
  markers: ['<tool_call>', '</tool_call>'],
  grammar: blocks(['<tool_call>'], function* readBlock(parts) {
    const { reader } = parts;
    yield* reader.skipSpace();
    if (!(yield* readJsonCall(parts))) return;
    yield* reader.skipSpace();
    yield* reader.literal('</tool_call>');
  }),
});
