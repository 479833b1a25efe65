/** The `openai` client on chat completions. */
import OpenAI from 'openai';
import type {
  ChatCompletion,
  ChatCompletionContentPart,
  ChatCompletionMessage,
  ChatCompletionMessageParam,
} from 'openai/resources';
import type { Client, ClientOptions, Question, Said } from './client.ts';
import { MAX_TOKENS, SCHEMA, TOOLS } from './client.ts';

const tools = TOOLS.map(({ name, description, schema }) => ({
  type: 'function' as const,
  function: { name, description, parameters: schema },
}));

export function openaiChat({ url, key }: ClientOptions): Client {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });

  const bodyOf = (question: Question, messages: ChatCompletionMessageParam[]) => ({
    model: question.model,
    messages,
    max_completion_tokens: question.maxTokens ?? MAX_TOKENS,
    ...(question.hasTools ? { tools } : {}),
    ...(question.mustCall ? { tool_choice: 'required' as const } : {}),
    ...(question.thinks ? { reasoning_effort: 'low' as const } : {}),
    ...(question.isStructured
      ? {
          response_format: {
            type: 'json_schema' as const,
            json_schema: { name: 'weather', schema: SCHEMA, strict: true },
          },
        }
      : {}),
  });

  async function complete(question: Question, messages: ChatCompletionMessageParam[]) {
    if (!question.isStream) {
      const answer = await client.chat.completions.create(bodyOf(question, messages));
      return { answer, pieces: 1 };
    }
    let pieces = 0;
    let thoughts = '';
    const stream = client.chat.completions.stream({
      ...bodyOf(question, messages),
      stream_options: { include_usage: true },
    });
    stream.on('content', () => {
      pieces += 1;
    });
    // The client joins the pieces of the fields that it knows; this one is its user's to join.
    stream.on('chunk', ({ choices }) => {
      if (choices[0]) thoughts += thoughtsIn(choices[0].delta);
    });
    const answer = await stream.finalChatCompletion();
    return { answer: withThoughts(answer, thoughts), pieces };
  }

  return {
    name: 'openai chat',
    ask: async (question) => {
      const { answer, pieces } = await complete(question, [{ role: 'user', content: contentOf(question) }]);
      return saidOf(answer, pieces);
    },
    round: async (question, results) => {
      const messages: ChatCompletionMessageParam[] = [{ role: 'user', content: contentOf(question) }];
      const first = await complete(question, messages);
      const message = first.answer.choices[0]?.message;
      if (!message) throw new Error('an answer without a choice');
      messages.push(plain(message));
      for (const call of message.tool_calls ?? []) {
        const name = call.type === 'function' ? call.function.name : '';
        messages.push({ role: 'tool', tool_call_id: call.id, content: results[name] ?? '' });
      }
      const second = await complete({ ...question, mustCall: false }, messages);
      return { first: saidOf(first.answer, first.pieces), second: saidOf(second.answer, second.pieces) };
    },
    statusOf: (error) => (error instanceof OpenAI.APIError ? (error.status as number | undefined) : undefined),
  };
}

/** Servers have two names for it. */
function thoughtsIn(holder: object): string {
  const names = ['reasoning_content', 'reasoning'];
  return names.map((name): unknown => Reflect.get(holder, name)).find((text) => typeof text === 'string') ?? '';
}

function withThoughts(answer: ChatCompletion, thoughts: string): ChatCompletion {
  const [choice, ...others] = answer.choices;
  if (!choice || thoughts === '') return answer;
  return {
    ...answer,
    choices: [
      { ...choice, message: { ...choice.message, reasoning_content: thoughts, reasoning: undefined } },
      ...others,
    ],
  } as ChatCompletion;
}

/** What the reader of streams adds for its user is no field of the API. */
export function plain(message: ChatCompletionMessage): ChatCompletionMessageParam {
  const { parsed: _, tool_calls: calls, ...rest } = message as ChatCompletionMessage & { readonly parsed?: unknown };
  if (!calls) return rest;
  return {
    ...rest,
    tool_calls: calls.map((call) => {
      if (call.type !== 'function') return call;
      const { name, arguments: text } = call.function;
      return { ...call, function: { name, arguments: text } };
    }),
  };
}

function contentOf({ prompt, image }: Question): string | ChatCompletionContentPart[] {
  if (image === undefined) return prompt;
  return [
    { type: 'text', text: prompt },
    { type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } },
  ];
}

function saidOf({ choices, usage }: ChatCompletion, pieces: number): Said {
  const message = choices[0]?.message;
  return {
    text: message?.content ?? '',
    thoughts: message ? thoughtsIn(message) : '',
    calls: (message?.tool_calls ?? []).flatMap((call) =>
      call.type === 'function'
        ? [{ name: call.function.name, args: JSON.parse(call.function.arguments) as unknown }]
        : [],
    ),
    pieces,
    inputTokens: usage?.prompt_tokens ?? 0,
    outputTokens: usage?.completion_tokens ?? 0,
  };
}
