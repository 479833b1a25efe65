/** Split patterns as model files write them, and the scanner that does the same. */

import { scanCased, scanCl100k, scanDeepSeek, scanGpt2 } from './scanners.ts';
import type { Scan } from './words.ts';

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const SPACES = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const HEAD = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const TAIL = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const BEFORE = '[^\\r\\n\\p{L}\\p{N}]?';

/** Also what `ByteLevel` cuts by when it cuts. */
export const GPT2_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

function cl100k(contractions: string, digits: string): string {
  return `${contractions}|${BEFORE}\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${SPACES}`;
}

function cased(contractions: string, digits: string): string {
  const words = `${BEFORE}${HEAD}*${TAIL}+${contractions}|${BEFORE}${HEAD}+${TAIL}*${contractions}`;
  return `${words}|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${SPACES}`;
}

/** The pattern of files without one: `*.tiktoken`. */
export const CL100K_PATTERN = cl100k(CONTRACTIONS, '\\p{N}{1,3}');
/** Of Qwen's vocabulary files. */
export const QWEN_PATTERN = cl100k(CONTRACTIONS, '\\p{N}');

/** By the text of the expression. */
export const scannersByPattern: ReadonlyMap<string, Scan> = new Map([
  [GPT2_PATTERN, scanGpt2],
  [CL100K_PATTERN, scanCl100k(3)],
  [QWEN_PATTERN, scanCl100k(1)],
  [cased(`${CONTRACTIONS}?`, '\\p{N}{1,3}'), scanCased({ digits: 3, contractions: true })],
  [cased('', '\\p{N}'), scanCased({ digits: 1, contractions: false })],
  [cased('', '\\p{N}{1,3}'), scanCased({ digits: 3, contractions: false })],
]);

/** DeepSeek V3 and its kin: three splits, one after the other. */
export const DEEPSEEK_PATTERNS = [
  '\\p{N}{1,3}',
  '[一-龥぀-ゟ゠-ヿ]+',
  '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+',
] as const;

/** The scanner of a row of isolating splits, where there is one. */
export function scannerOf(patterns: readonly string[]): Scan | undefined {
  if (patterns.length === 1) return scannersByPattern.get(patterns[0] ?? '');
  const isDeepSeek =
    patterns.length === DEEPSEEK_PATTERNS.length && DEEPSEEK_PATTERNS.every((pattern, at) => pattern === patterns[at]);
  return isDeepSeek ? scanDeepSeek : undefined;
}

/** Of Kimi's `tiktoken.model` (tokenization_kimi.py of the model): Chinese runs, then cased words without Chinese. */
export const KIMI_PATTERN = [
  '[\\p{Han}]+',
  `${BEFORE}[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+${CONTRACTIONS}?`,
  `${BEFORE}[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*${CONTRACTIONS}?`,
  '\\p{N}{1,3}',
  ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*',
  '\\s*[\\r\\n]+',
  '\\s+(?!\\S)',
  '\\s+',
].join('|');
