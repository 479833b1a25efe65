/** Gemini's APIs as the gateway sees them on their way through. Source: Gemini API reference. */
import { geminiDialect } from '../dialect.ts';
import { promptReader } from '../prompt.ts';
import type { Protocol } from '../protocol.ts';
import { lastObject, usageFromGemini } from '../usage.ts';
import { geminiCodec } from './codec.ts';
import { geminiEmbedCodec } from './embed-codec.ts';
import { GrowingArray } from './growing-array.ts';
import { GeminiTap, GeminiWholeTap } from './tap.ts';

const USAGE = '"usageMetadata"';

/** `generateContent` and `streamGenerateContent`. The model stands in the path. */
export const gemini: Protocol = {
  name: 'gemini',
  dialect: geminiDialect,
  idPrefix: 'gen-',
  modelOptional: false,
  codec: geminiCodec,
  createTap: () => new GeminiTap(),
  createArrayTap: () => new GrowingArray(),
  ...promptReader({
    // Each in the two spellings that the API takes.
    content: ['tools', 'systemInstruction', 'system_instruction', 'contents'],
    salt: ['cachedContent', 'cached_content'],
  }),
  readUsage: (body) => usageFromGemini(lastObject(body, USAGE)),
};

/** `countTokens`: the contents, or a whole request under one name; the answer is a number. */
export const geminiCountTokens: Protocol = {
  ...gemini,
  name: 'gemini-count-tokens',
  codec: undefined,
  createTap: () => new GeminiWholeTap(),
  ...promptReader({ content: ['generateContentRequest', 'generate_content_request', 'contents'], salt: [] }),
  readUsage: () => undefined,
};

/** `embedContent` and `batchEmbedContents`. */
export const geminiEmbeddings: Protocol = {
  ...gemini,
  name: 'gemini-embeddings',
  codec: undefined,
  embed: geminiEmbedCodec,
  createTap: () => new GeminiWholeTap(),
  ...promptReader({ content: ['content', 'requests'], salt: [] }),
};
