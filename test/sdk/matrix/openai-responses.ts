/** The `openai` client on responses. */
import OpenAI from 'openai';
import type { Response, ResponseInput, ResponseInputContent } from 'openai/resources/responses/responses';
import type { Client, ClientOptions, Question, Said } from './client.ts';
import { MAX_TOKENS, SCHEMA, TOOLS } from './client.ts';

const tools = TOOLS.map(({ name, description, schema }) => ({
  type: 'function' as const,
  name,
  description,
  parameters: schema,
  strict: false,
}));

export function openaiResponses({ url, key }: ClientOptions): Client {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });

  async function complete(question: Question, input: ResponseInput) {
    const body = {
      model: question.model,
      input,
      max_output_tokens: question.maxTokens ?? MAX_TOKENS,
      store: false,
      ...(question.hasTools ? { tools } : {}),
      ...(question.mustCall ? { tool_choice: 'required' as const } : {}),
      ...(question.thinks
        ? {
            reasoning: { effort: 'low' as const, summary: 'auto' as const },
            include: ['reasoning.encrypted_content' as const],
          }
        : {}),
      ...(question.isStructured
        ? { text: { format: { type: 'json_schema' as const, name: 'weather', schema: SCHEMA, strict: true } } }
        : {}),
    };
    if (!question.isStream) return { answer: await client.responses.create(body), pieces: 1 };
    let pieces = 0;
    const stream = client.responses.stream(body);
    stream.on('response.output_text.delta', () => {
      pieces += 1;
    });
    return { answer: await stream.finalResponse(), pieces };
  }

  return {
    name: 'openai responses',
    ask: async (question) => {
      const { answer, pieces } = await complete(question, [{ role: 'user', content: contentOf(question) }]);
      return saidOf(answer, pieces);
    },
    round: async (question, results) => {
      const input: ResponseInput = [{ role: 'user', content: contentOf(question) }];
      const first = await complete(question, input);
      for (const item of first.answer.output) {
        if (item.type !== 'function_call' && item.type !== 'reasoning' && item.type !== 'message') continue;
        // What the stream's reader adds for its user is no field of the API.
        const { parsed_arguments: _, ...plain } = item as typeof item & { readonly parsed_arguments?: unknown };
        input.push(plain);
      }
      for (const item of first.answer.output) {
        if (item.type !== 'function_call') continue;
        input.push({ type: 'function_call_output', call_id: item.call_id, output: results[item.name] ?? '' });
      }
      const second = await complete({ ...question, mustCall: false }, input);
      return { first: saidOf(first.answer, first.pieces), second: saidOf(second.answer, second.pieces) };
    },
    statusOf: (error) => (error instanceof OpenAI.APIError ? (error.status as number | undefined) : undefined),
  };
}

function contentOf({ prompt, image }: Question): ResponseInputContent[] {
  const text = { type: 'input_text' as const, text: prompt };
  if (image === undefined) return [text];
  return [text, { type: 'input_image', image_url: `data:image/png;base64,${image}`, detail: 'auto' }];
}

function saidOf({ output, usage }: Response, pieces: number): Said {
  const texts = output.flatMap((item) => (item.type === 'message' ? item.content : []));
  const thoughts = output.flatMap((item) => (item.type === 'reasoning' ? item.summary : []));
  return {
    text: texts.map((part) => (part.type === 'output_text' ? part.text : '')).join(''),
    thoughts: thoughts.map(({ text }) => text).join(''),
    calls: output.flatMap((item) =>
      item.type === 'function_call' ? [{ name: item.name, args: JSON.parse(item.arguments) as unknown }] : [],
    ),
    pieces,
    inputTokens: usage?.input_tokens ?? 0,
    outputTokens: usage?.output_tokens ?? 0,
  };
}
