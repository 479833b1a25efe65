/** A conversation through the OpenAI client on chat completions, streamed, with thinking. */
import OpenAI from 'openai';
import type { ChatCompletionMessageParam } from 'openai/resources';
import { plain } from '../matrix/openai-chat.ts';
import type { Conversation, Place } from './conversation.ts';
import { LOOK_UP, MAX_ROUNDS } from './conversation.ts';

export function chatConversation({ url, key, run }: Place): Conversation {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
  const messages: ChatCompletionMessageParam[] = [];
  const { name, description, schema } = LOOK_UP;
  const parameters = { ...schema, required: ['word'] };
  const tools = [{ type: 'function' as const, function: { name, description, parameters } }];
  return {
    api: 'chat',
    say: async (model, prompt) => {
      messages.push({ role: 'user', content: prompt });
      for (let round = 0; round < MAX_ROUNDS; round += 1) {
        const stream = client.chat.completions.stream({ model, reasoning_effort: 'low', tools, messages });
        const message = (await stream.finalChatCompletion()).choices[0]?.message;
        if (!message) throw new Error('an answer without a choice');
        messages.push(plain(message));
        const calls = (message.tool_calls ?? []).flatMap((call) => (call.type === 'function' ? [call] : []));
        if (calls.length === 0) return message.content ?? '';
        for (const call of calls) {
          const content = run(call.function.name, JSON.parse(call.function.arguments));
          messages.push({ role: 'tool', tool_call_id: call.id, content });
        }
      }
      throw new Error('the model calls tools without end');
    },
  };
}
