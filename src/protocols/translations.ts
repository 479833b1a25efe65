/** The list of translations that have no hub: one line each. */
import { anthropicMessagesCodec } from './anthropic-messages/codec.ts';
import { anthropicCountForm, countTokensBetween, geminiCountForm } from './count-tokens/count-tokens-between.ts';
import { geminiCodec } from './gemini/codec.ts';
import { embeddingsToGemini } from './gemini/embeddings.ts';
import type { UnaryTranslation } from './hub/unary-translation.ts';

const anthropicCount = { form: anthropicCountForm, codec: anthropicMessagesCodec };
const geminiCount = { form: geminiCountForm, codec: geminiCodec };

export const unaryTranslations: readonly UnaryTranslation[] = [
  embeddingsToGemini,
  countTokensBetween(anthropicCount, geminiCount),
  countTokensBetween(geminiCount, anthropicCount),
  // For prompts that hold thoughts of other models.
  countTokensBetween(anthropicCount, anthropicCount),
  countTokensBetween(geminiCount, geminiCount),
];
