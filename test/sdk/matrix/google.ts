/** The `@google/genai` client on `generateContent`. */
import type { Content, GenerateContentConfig, GenerateContentResponse, Part } from '@google/genai';
import { ApiError, FunctionCallingConfigMode, GoogleGenAI } from '@google/genai';
import type { Client, ClientOptions, Question, Said } from './client.ts';
import { MAX_TOKENS, SCHEMA, TOOLS } from './client.ts';

const functionDeclarations = TOOLS.map(({ name, description, schema }) => ({
  name,
  description,
  parametersJsonSchema: schema,
}));

interface Answer {
  readonly parts: readonly Part[];
  readonly last: GenerateContentResponse | undefined;
  readonly pieces: number;
}

export function googleGenerate({ url, key }: ClientOptions): Client {
  const client = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } });

  async function complete(question: Question, contents: Content[]): Promise<Answer> {
    const config: GenerateContentConfig = {
      maxOutputTokens: question.maxTokens ?? MAX_TOKENS,
      ...(question.hasTools ? { tools: [{ functionDeclarations }] } : {}),
      ...(question.mustCall ? { toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } } } : {}),
      ...(question.thinks ? { thinkingConfig: { includeThoughts: true, thinkingBudget: 1_024 } } : {}),
      ...(question.isStructured ? { responseMimeType: 'application/json', responseJsonSchema: SCHEMA } : {}),
    };
    const request = { model: question.model, contents, config };
    if (!question.isStream) {
      const last = await client.models.generateContent(request);
      return { parts: partsOf(last), last, pieces: 1 };
    }
    const parts: Part[] = [];
    let last: GenerateContentResponse | undefined;
    for await (const chunk of await client.models.generateContentStream(request)) {
      parts.push(...partsOf(chunk));
      last = chunk;
    }
    if (last?.candidates?.[0]?.finishReason === undefined) throw new Error('the stream ended without a finish reason');
    return { parts, last, pieces: parts.filter((part) => part.text && !part.thought).length };
  }

  return {
    name: 'google',
    ask: async (question) => saidOf(await complete(question, [{ role: 'user', parts: contentOf(question) }])),
    round: async (question, results) => {
      const contents: Content[] = [{ role: 'user', parts: contentOf(question) }];
      const first = await complete(question, contents);
      contents.push({ role: 'model', parts: [...first.parts] });
      const answers = first.parts.flatMap(({ functionCall }) => {
        if (!functionCall) return [];
        const { id, name = '' } = functionCall;
        return [
          {
            functionResponse: { ...(id === undefined ? {} : { id }), name, response: { result: results[name] ?? '' } },
          },
        ];
      });
      contents.push({ role: 'user', parts: answers });
      const second = await complete({ ...question, mustCall: false }, contents);
      return { first: saidOf(first), second: saidOf(second) };
    },
    statusOf: (error) => (error instanceof ApiError ? error.status : undefined),
  };
}

function partsOf(response: GenerateContentResponse): readonly Part[] {
  return response.candidates?.[0]?.content?.parts ?? [];
}

function contentOf({ prompt, image }: Question): Part[] {
  const text = { text: prompt };
  return image === undefined ? [text] : [text, { inlineData: { mimeType: 'image/png', data: image } }];
}

function saidOf({ parts, last, pieces }: Answer): Said {
  const { promptTokenCount = 0, candidatesTokenCount = 0, thoughtsTokenCount = 0 } = last?.usageMetadata ?? {};
  return {
    text: parts.map((part) => (part.thought ? '' : (part.text ?? ''))).join(''),
    thoughts: parts.map((part) => (part.thought ? (part.text ?? '') : '')).join(''),
    calls: parts.flatMap(({ functionCall }) =>
      functionCall ? [{ name: functionCall.name ?? '', args: functionCall.args ?? {} }] : [],
    ),
    pieces,
    inputTokens: promptTokenCount,
    outputTokens: candidatesTokenCount + thoughtsTokenCount,
  };
}
