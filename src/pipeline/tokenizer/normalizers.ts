/** `normalizer` of tokenizer.json as a function of the text. */

import { flagOf, isObject, listOf, textOf } from './json-shape.ts';
import { patternOf } from './pattern.ts';
import { normalizeText } from './unicode-tables.ts';
import { UnusableTokenizer } from './unusable.ts';

/** Never gets an empty text. */
export type Normalize = (text: string) => string;

/** Undefined where the text stays as it is. */
export function normalizerOf(description: unknown): Normalize | undefined {
  if (!isObject(description)) return undefined;
  switch (description['type']) {
    case 'Sequence':
      return sequence(listOf(description['normalizers'], 'sequence of normalizers').map(normalizerOf));
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD': {
      const form = description['type'];
      return (text) => normalizeText(text, form);
    }
    case 'Lowercase':
      return lowerCase;
    case 'Prepend': {
      const prefix = textOf(description['prepend'], 'text of Prepend');
      return (text) => (text === '' ? text : prefix + text);
    }
    case 'Append': {
      const suffix = textOf(description['append'], 'text of Append');
      return (text) => (text === '' ? text : text + suffix);
    }
    case 'Replace':
      return replace(description['pattern'], textOf(description['content'], 'content of Replace'));
    case 'Strip':
      return strip(flagOf(description['strip_left'], true), flagOf(description['strip_right'], true));
    default:
      throw new UnusableTokenizer(`the normalizer ${String(description['type'])}`);
  }
}

function sequence(all: readonly (Normalize | undefined)[]): Normalize | undefined {
  const steps = all.filter((step) => step !== undefined);
  if (steps.length < 2) return steps[0];
  return (text) => steps.reduce((current, step) => step(current), text);
}

/** Character by character: the runtime alone knows the sigma that ends a word. */
function lowerCase(text: string): string {
  return text.includes('Σ') ? Array.from(text, (character) => character.toLowerCase()).join('') : text.toLowerCase();
}

function replace(pattern: unknown, content: string): Normalize {
  const plain = isObject(pattern) ? pattern['String'] : pattern;
  if (typeof plain === 'string') return plain === '' ? (text) => text : (text) => text.replaceAll(plain, () => content);
  const expression = patternOf(pattern);
  return (text) => text.replaceAll(expression, () => content);
}

function strip(left: boolean, right: boolean): Normalize {
  return (text) => {
    const trimmed = left ? text.replace(/^\p{White_Space}+/v, '') : text;
    if (!right) return trimmed;
    let end = trimmed.length;
    while (end > 0 && /\p{White_Space}/v.test(trimmed.charAt(end - 1))) end--;
    return trimmed.slice(0, end);
  };
}
