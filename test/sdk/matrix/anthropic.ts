/** The `@anthropic-ai/sdk` client on messages. */
import Anthropic from '@anthropic-ai/sdk';
import type { Client, ClientOptions, Question, Said } from './client.ts';
import { MAX_TOKENS, SCHEMA, TOOLS } from './client.ts';

const tools = TOOLS.map(({ name, description, schema }) => ({
  name,
  description,
  input_schema: schema as Anthropic.Tool.InputSchema,
}));

export function anthropicMessages({ url, key }: ClientOptions): Client {
  const client = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });

  async function complete(question: Question, messages: Anthropic.MessageParam[]) {
    const body = {
      model: question.model,
      max_tokens: question.maxTokens ?? MAX_TOKENS,
      messages,
      ...(question.hasTools ? { tools } : {}),
      ...(question.mustCall ? { tool_choice: { type: 'any' as const } } : {}),
      ...(question.thinks ? { thinking: { type: 'enabled' as const, budget_tokens: 1_024 } } : {}),
      ...(question.isStructured ? { output_config: { format: { type: 'json_schema' as const, schema: SCHEMA } } } : {}),
    };
    if (!question.isStream) return { answer: await client.messages.create(body), pieces: 1 };
    let pieces = 0;
    const stream = client.messages.stream(body);
    stream.on('text', () => {
      pieces += 1;
    });
    return { answer: await stream.finalMessage(), pieces };
  }

  return {
    name: 'anthropic',
    ask: async (question) => {
      const { answer, pieces } = await complete(question, [{ role: 'user', content: contentOf(question) }]);
      return saidOf(answer, pieces);
    },
    round: async (question, results) => {
      const messages: Anthropic.MessageParam[] = [{ role: 'user', content: contentOf(question) }];
      const first = await complete(question, messages);
      const { content } = first.answer;
      messages.push({ role: 'assistant', content });
      const answers = content.flatMap((block) =>
        block.type === 'tool_use'
          ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: results[block.name] ?? '' }]
          : [],
      );
      messages.push({ role: 'user', content: answers });
      const second = await complete({ ...question, mustCall: false }, messages);
      return { first: saidOf(first.answer, first.pieces), second: saidOf(second.answer, second.pieces) };
    },
    statusOf: (error) => (error instanceof Anthropic.APIError ? (error.status as number | undefined) : undefined),
  };
}

function contentOf({ prompt, image }: Question): string | Anthropic.ContentBlockParam[] {
  if (image === undefined) return prompt;
  return [
    { type: 'text', text: prompt },
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: image } },
  ];
}

function saidOf({ content, usage }: Anthropic.Message, pieces: number): Said {
  const cached = (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
  return {
    text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    thoughts: content.map((block) => (block.type === 'thinking' ? block.thinking : '')).join(''),
    calls: content.flatMap((block) => (block.type === 'tool_use' ? [{ name: block.name, args: block.input }] : [])),
    pieces,
    inputTokens: usage.input_tokens + cached,
    outputTokens: usage.output_tokens,
  };
}
