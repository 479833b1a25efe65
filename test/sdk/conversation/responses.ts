/** A conversation through the OpenAI client on responses, streamed, with thinking kept by the client. */
import OpenAI from 'openai';
import type { ResponseInput, ResponseInputItem } from 'openai/resources/responses/responses';
import type { Conversation, Place } from './conversation.ts';
import { LOOK_UP, MAX_ROUNDS } from './conversation.ts';

export function responsesConversation({ url, key, run }: Place): Conversation {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
  const input: ResponseInput = [];
  const { name, description, schema } = LOOK_UP;
  const parameters = { ...schema, required: ['word'] };
  const tools = [{ type: 'function' as const, name, description, parameters, strict: false }];
  const reasoning = { effort: 'low' as const, summary: 'auto' as const };
  const include = ['reasoning.encrypted_content' as const];
  return {
    api: 'responses',
    say: async (model, prompt) => {
      input.push({ role: 'user', content: prompt });
      for (let round = 0; round < MAX_ROUNDS; round += 1) {
        const stream = client.responses.stream({ model, input, tools, reasoning, include, store: false });
        const { output, output_text: text } = await stream.finalResponse();
        for (const item of output) {
          const { parsed_arguments: _, ...plain } = item as typeof item & { readonly parsed_arguments?: unknown };
          input.push(plain as ResponseInputItem);
        }
        const calls = output.filter((item) => item.type === 'function_call');
        if (calls.length === 0) return text;
        for (const call of calls) {
          const result = run(call.name, JSON.parse(call.arguments));
          input.push({ type: 'function_call_output', call_id: call.call_id, output: result });
        }
      }
      throw new Error('the model calls tools without end');
    },
  };
}
