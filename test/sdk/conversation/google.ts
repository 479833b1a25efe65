/** A conversation through the Google client, streamed, with thinking. */
import type { Content, Part } from '@google/genai';
import { GoogleGenAI } from '@google/genai';
import type { Conversation, Place } from './conversation.ts';
import { LOOK_UP, MAX_ROUNDS } from './conversation.ts';

export function googleConversation({ url, key, run }: Place): Conversation {
  const client = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } });
  const contents: Content[] = [];
  const { name, description, schema } = LOOK_UP;
  const config = {
    tools: [{ functionDeclarations: [{ name, description, parametersJsonSchema: schema }] }],
    thinkingConfig: { includeThoughts: true, thinkingBudget: 1_024 },
  };
  return {
    api: 'gemini',
    say: async (model, prompt) => {
      contents.push({ role: 'user', parts: [{ text: prompt }] });
      for (let round = 0; round < MAX_ROUNDS; round += 1) {
        const parts: Part[] = [];
        for await (const chunk of await client.models.generateContentStream({ model, contents, config }))
          parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
        contents.push({ role: 'model', parts });
        const calls = parts.flatMap(({ functionCall }) => (functionCall ? [functionCall] : []));
        if (calls.length === 0) return parts.map((part) => (part.thought ? '' : (part.text ?? ''))).join('');
        const results = calls.map((call): Part => {
          const id = call.id === undefined ? {} : { id: call.id };
          const response = { result: run(call.name ?? '', call.args) };
          return { functionResponse: { ...id, name: call.name ?? '', response } };
        });
        contents.push({ role: 'user', parts: results });
      }
      throw new Error('the model calls tools without end');
    },
  };
}
