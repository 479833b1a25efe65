/** Gemini's `generateContent` as the gateway sees it on its way through. Source: Gemini API reference, generating content. */
import { geminiDialect } from '../dialect.ts';
import { openaiEmbeddings } from '../unary.ts';
import type { Protocol } from '../protocol.ts';
import { promptReader } from '../prompt.ts';

export const gemini: Protocol = {
  ...openaiEmbeddings,
  name: 'gemini',
  dialect: geminiDialect,
  idPrefix: 'gen-',
  ...promptReader({
    content: ['tools', 'systemInstruction', 'contents'],
    salt: ['cachedContent'],
  }),
};

export const geminiCountTokens: Protocol = { ...gemini, name: 'gemini-count-tokens' };
export const geminiEmbeddings: Protocol = { ...gemini, name: 'gemini-embeddings' };
