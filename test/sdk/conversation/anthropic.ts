/** A conversation through the Anthropic client, streamed, with thinking. */
import Anthropic from '@anthropic-ai/sdk';
import type { Conversation, Place } from './conversation.ts';
import { LOOK_UP, MAX_ROUNDS } from './conversation.ts';

export function anthropicConversation({ url, key, run }: Place): Conversation {
  const client = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });
  const messages: Anthropic.MessageParam[] = [];
  const tools: Anthropic.Tool[] = [
    { name: LOOK_UP.name, description: LOOK_UP.description, input_schema: { ...LOOK_UP.schema, required: ['word'] } },
  ];
  return {
    api: 'messages',
    say: async (model, prompt) => {
      messages.push({ role: 'user', content: prompt });
      for (let round = 0; round < MAX_ROUNDS; round += 1) {
        const thinking = { type: 'enabled' as const, budget_tokens: 1_024 };
        const stream = client.messages.stream({ model, max_tokens: 4_096, thinking, tools, messages });
        const { content } = await stream.finalMessage();
        messages.push({ role: 'assistant', content });
        const calls = content.filter((block) => block.type === 'tool_use');
        if (calls.length === 0) return content.map((block) => (block.type === 'text' ? block.text : '')).join('');
        const results = calls.map(({ id, name, input }) => {
          return { type: 'tool_result' as const, tool_use_id: id, content: run(name, input) };
        });
        messages.push({ role: 'user', content: results });
      }
      throw new Error('the model calls tools without end');
    },
  };
}
