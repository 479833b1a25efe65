/** Vercel's `ai` over its providers: the same questions through each of the APIs that it can speak. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModel, ModelMessage, ToolSet } from 'ai';
import { APICallError, generateText, jsonSchema, Output, streamText, tool } from 'ai';
import type { Client, ClientOptions, Question, Said } from './client.ts';
import { MAX_TOKENS, SCHEMA, TOOLS } from './client.ts';

type ModelOf = (name: string) => LanguageModel;
/** How each provider of the SDK is asked to think. */
type Options = NonNullable<Parameters<typeof generateText>[0]['providerOptions']>;

const toolSet: ToolSet = Object.fromEntries(
  TOOLS.map(({ name, description, schema }) => [name, tool({ description, inputSchema: jsonSchema<object>(schema) })]),
);

function client(name: string, modelOf: ModelOf, thinking: Options, always: Options = {}): Client {
  async function complete(question: Question, messages: ModelMessage[]) {
    const request = {
      model: modelOf(question.model),
      messages,
      maxOutputTokens: question.maxTokens ?? MAX_TOKENS,
      maxRetries: 0,
      ...(question.hasTools ? { tools: toolSet } : {}),
      ...(question.mustCall ? { toolChoice: 'required' as const } : {}),
      providerOptions: question.thinks ? thinking : always,
      ...(question.isStructured ? { output: Output.object({ schema: jsonSchema(SCHEMA) }) } : {}),
    };
    if (!question.isStream) {
      const { text, reasoningText = '', toolCalls, usage, response } = await generateText(request);
      return {
        said: saidOf({ text, reasoningText, toolCalls, usage, pieces: 1 }),
        messages: response.messages,
        toolCalls,
      };
    }
    let failure: unknown;
    const stream = streamText({
      ...request,
      onError: ({ error }) => {
        failure = error;
      },
    });
    let pieces = 0;
    for await (const part of stream.fullStream) if (part.type === 'text-delta') pieces += 1;
    if (failure !== undefined) throw failure;
    const [text, reasoningText = '', toolCalls, usage, response] = await Promise.all([
      stream.text,
      stream.reasoningText,
      stream.toolCalls,
      stream.usage,
      stream.response,
    ]);
    return { said: saidOf({ text, reasoningText, toolCalls, usage, pieces }), messages: response.messages, toolCalls };
  }

  return {
    name,
    ask: async (question) => (await complete(question, [messageOf(question)])).said,
    round: async (question, results) => {
      const messages: ModelMessage[] = [messageOf(question)];
      const first = await complete(question, messages);
      messages.push(...first.messages);
      messages.push({
        role: 'tool',
        content: first.toolCalls.map(({ toolCallId, toolName }) => ({
          type: 'tool-result',
          toolCallId,
          toolName,
          output: { type: 'text', value: results[toolName] ?? '' },
        })),
      });
      const second = await complete({ ...question, mustCall: false }, messages);
      return { first: first.said, second: second.said };
    },
    statusOf: (error) => (APICallError.isInstance(error) ? error.statusCode : undefined),
  };
}

function messageOf({ prompt, image }: Question): ModelMessage {
  if (image === undefined) return { role: 'user', content: prompt };
  return {
    role: 'user',
    content: [
      { type: 'text', text: prompt },
      { type: 'file', data: image, mediaType: 'image/png' },
    ],
  };
}

interface Outcome {
  readonly text: string;
  readonly reasoningText: string;
  readonly toolCalls: readonly { readonly toolName: string; readonly input: unknown }[];
  readonly usage: { readonly inputTokens?: number | undefined; readonly outputTokens?: number | undefined };
  readonly pieces: number;
}

function saidOf({ text, reasoningText, toolCalls, usage, pieces }: Outcome): Said {
  return {
    text,
    thoughts: reasoningText,
    calls: toolCalls.map(({ toolName, input }) => ({ name: toolName, args: input })),
    pieces,
    inputTokens: usage.inputTokens ?? 0,
    outputTokens: usage.outputTokens ?? 0,
  };
}

export function vercelChat({ url, key }: ClientOptions): Client {
  const provider = createOpenAICompatible({
    name: 'smg',
    baseURL: `${url}/v1`,
    apiKey: key,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
  return client('ai, compatible', (name) => provider(name), { smg: { reasoningEffort: 'low' } });
}

export function vercelResponses({ url, key }: ClientOptions): Client {
  const provider = createOpenAI({ baseURL: `${url}/v1`, apiKey: key });
  // What an API of responses stores is there only; here the client keeps its history itself.
  const always = { store: false };
  const thinking = {
    ...always,
    reasoningEffort: 'low',
    reasoningSummary: 'auto',
    include: ['reasoning.encrypted_content'],
    forceReasoning: true,
  };
  return client('ai, responses', (name) => provider.responses(name), { openai: thinking }, { openai: always });
}

export function vercelAnthropic({ url, key }: ClientOptions): Client {
  const provider = createAnthropic({ baseURL: `${url}/v1`, apiKey: key });
  return client('ai, anthropic', (name) => provider(name), {
    anthropic: { thinking: { type: 'enabled', budgetTokens: 1_024 } },
  });
}

export function vercelGoogle({ url, key }: ClientOptions): Client {
  const provider = createGoogle({ baseURL: `${url}/v1beta`, apiKey: key });
  return client('ai, google', (name) => provider(name), {
    google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 1_024 } },
  });
}
