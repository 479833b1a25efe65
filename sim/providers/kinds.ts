/** The list of provider kinds and their dialects; nothing else in this file. */

import { anthropicDialect } from './anthropic/dialect.ts';
import { compatibleDialect } from './compatible/dialect.ts';
import type { Dialect } from './dialect.ts';
import { geminiDialect } from './gemini/dialect.ts';
import { openaiDialect } from './openai/dialect.ts';
import type { ProviderKind, ProviderOptions } from './options.ts';
import { xaiDialect } from './xai/dialect.ts';

const DIALECTS: Readonly<Record<ProviderKind, (options: ProviderOptions) => Dialect>> = {
  openai: openaiDialect,
  anthropic: anthropicDialect,
  gemini: geminiDialect,
  xai: xaiDialect,
  compatible: ({ compatible }) => compatibleDialect(compatible),
};

/** The dialect of a provider. */
export function createDialect(options: ProviderOptions): Dialect {
  return DIALECTS[options.kind](options);
}
