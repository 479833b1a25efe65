/** The list of translations that have no hub: one line each. */
import type { UnaryTranslation } from './hub/unary-translation.ts';

export const unaryTranslations: readonly UnaryTranslation[] = [];
