/** Upper, lower and title case, and what kinds of characters a text has. */
import { SPACES } from './spaces.ts';

const CASED = /[\p{Lu}\p{Ll}\p{Lt}]/u;
const UPPER = /\p{Lu}/u;
const LOWER = /\p{Ll}/u;

export const capitalize = (text: string): string => {
  const first = String.fromCodePoint(...[text.codePointAt(0) ?? 0].slice(0, text.length));
  return titleOf(first) + text.slice(first.length).toLowerCase();
};

const DIGRAPHS: Readonly<Record<string, string>> = { ǆ: 'ǅ', Ǆ: 'ǅ', ǉ: 'ǈ', Ǉ: 'ǈ', ǌ: 'ǋ', Ǌ: 'ǋ', ǳ: 'ǲ', Ǳ: 'ǲ' };

/** Title case of one character: only those that are two letters in one differ from upper case. */
function titleOf(character: string): string {
  const digraph = DIGRAPHS[character];
  if (digraph !== undefined) return digraph;
  const upper = character.toUpperCase();
  if (upper.length > character.length && upper.length > 1) return upper.charAt(0) + upper.slice(1).toLowerCase();
  return upper;
}

/** Every letter after something that is no letter. */
export function titleCase(text: string): string {
  let isInside = false;
  let result = '';
  for (const character of text) {
    const isCased = CASED.test(character);
    result += isCased && !isInside ? titleOf(character) : character.toLowerCase();
    isInside = isCased;
  }
  return result;
}

export function swapCase(text: string): string {
  let result = '';
  for (const character of text) result += UPPER.test(character) ? character.toLowerCase() : character.toUpperCase();
  return result;
}

const every = (pattern: RegExp) => (text: string) => pattern.test(text);

/** `isdigit` and its like: each false for an empty text. */
export const KINDS: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['isalnum', every(/^[\p{L}\p{Nd}\p{Nl}\p{No}]+$/u)],
  ['isalpha', every(/^\p{L}+$/u)],
  ['isascii', (text: string) => !/[\u0080-\uffff]/.test(text)],
  ['isdecimal', every(/^\p{Nd}+$/u)],
  ['isdigit', every(/^[\p{Nd}\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468]+$/u)],
  ['isidentifier', every(/^[\p{ID_Start}_][\p{ID_Continue}]*$/u)],
  ['islower', (text: string) => LOWER.test(text) && !/[\p{Lu}\p{Lt}]/u.test(text)],
  ['isnumeric', every(/^\p{N}+$/u)],
  ['isprintable', (text: string) => !/[\p{C}\p{Z}]/u.test(text.replaceAll(' ', ''))],
  ['isspace', every(new RegExp(`^[${SPACES}]+$`))],
  ['istitle', isTitle],
  ['isupper', (text: string) => UPPER.test(text) && !/[\p{Ll}\p{Lt}]/u.test(text)],
]);

function isTitle(text: string): boolean {
  return CASED.test(text) && titleCase(text) === text;
}
