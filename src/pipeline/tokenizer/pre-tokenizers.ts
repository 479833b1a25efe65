/**
 * `pre_tokenizer` of tokenizer.json as one cutter. A row of isolating splits with a scanner becomes that scanner; the
 * byte alphabet is not written out, because tokens are kept as bytes.
 */

import { flagOf, isObject, type JsonObject, listOf, textOf } from './json-shape.ts';
import { GPT2_PATTERN, scannerOf } from './known-patterns.ts';
import { behaviourOf, patternOf, splitBy } from './pattern.ts';
import { scanGpt2 } from './scanners.ts';
import { WORD_CLASS } from './unicode-tables.ts';
import { UnusableTokenizer } from './unusable.ts';
import { chain, type Cutter, type Scan, whole } from './words.ts';

export interface PreTokenizer {
  readonly cut: Cutter;
  /** The model works on bytes, spelled in the byte alphabet. */
  readonly isByteLevel: boolean;
  /** The text comes to the model whole, so the model may cut it where its merges cannot reach across. */
  readonly isWhole: boolean;
}

export function preTokenizerOf(description: unknown): PreTokenizer {
  const steps = stepsOf(description);
  const isByteLevel = steps.some((step) => step['type'] === 'ByteLevel');
  const bytesAt = steps.findIndex((step) => step['type'] === 'ByteLevel');
  if (isByteLevel && bytesAt !== steps.length - 1) throw new UnusableTokenizer('a pre-tokenizer behind ByteLevel');
  const cutters = cuttersOf(steps);
  const [first = whole, ...rest] = cutters;
  return { cut: rest.reduce(chain, first), isByteLevel, isWhole: cutters.length === 0 };
}

function stepsOf(description: unknown): JsonObject[] {
  if (!isObject(description)) return [];
  if (description['type'] !== 'Sequence') return [description];
  return listOf(description['pretokenizers'], 'sequence of pre-tokenizers').flatMap(stepsOf);
}

function cuttersOf(steps: readonly JsonObject[]): Cutter[] {
  const scanned = scanOf(steps);
  if (scanned !== undefined) return [scanned];
  return steps.map(cutterOf).filter((cutter) => cutter !== whole);
}

/** All splits of the row in one, where there is a scanner for it. */
function scanOf(steps: readonly JsonObject[]): Cutter | undefined {
  const splits = steps.filter((step) => !isPlainByteLevel(step));
  const patterns: string[] = [];
  for (const step of splits) {
    const pattern = isObject(step['pattern']) ? step['pattern']['Regex'] : undefined;
    const isIsolating = step['type'] === 'Split' && step['behavior'] === 'Isolated' && step['invert'] !== true;
    if (!isIsolating || typeof pattern !== 'string') return undefined;
    patterns.push(pattern);
  }
  const scan = scannerOf(patterns);
  return scan === undefined ? undefined : cutterOfScan(scan);
}

export function cutterOfScan(scan: Scan): Cutter {
  return (text, _isFirst, sink) => scan(text, 0, text.length, sink);
}

function isPlainByteLevel(step: JsonObject): boolean {
  return step['type'] === 'ByteLevel' && !flagOf(step['add_prefix_space'], true) && step['use_regex'] === false;
}

function cutterOf(step: JsonObject): Cutter {
  switch (step['type']) {
    case 'Split':
      return splitBy(patternOf(step['pattern']), behaviourOf(step['behavior']), flagOf(step['invert'], false));
    case 'ByteLevel':
      return byteLevel(flagOf(step['add_prefix_space'], true), flagOf(step['use_regex'], true));
    case 'Metaspace':
      return metaspace(step);
    case 'Digits':
      return splitBy(
        patternOf({ Regex: '\\p{N}' }),
        flagOf(step['individual_digits'], false) ? 'Isolated' : 'Contiguous',
        false,
      );
    case 'Whitespace':
      return splitBy(WORDS_AND_SIGNS, 'Removed', true);
    case 'WhitespaceSplit':
      return splitBy(/\p{White_Space}/gv, 'Removed', false);
    case 'Punctuation':
      return splitBy(PUNCTUATION, behaviourOf(step['behavior'] ?? 'Isolated'), false);
    case 'BertPreTokenizer':
      return chain(splitBy(/\p{White_Space}/gv, 'Removed', false), splitBy(PUNCTUATION, 'Isolated', false));
    case 'CharDelimiterSplit':
      return splitBy(patternOf(textOf(step['delimiter'], 'delimiter')), 'Removed', false);
    default:
      throw new UnusableTokenizer(`the pre-tokenizer ${String(step['type'])}`);
  }
}

/** `\w+|[^\w\s]+` */
const WORDS_AND_SIGNS = new RegExp(`[${WORD_CLASS}]+|[^[${WORD_CLASS}]\\p{White_Space}]+`, 'gv');
const PUNCTUATION = /[\p{P}$+<=>^`\|~]/gv;

function byteLevel(addPrefixSpace: boolean, useRegex: boolean): Cutter {
  const cut = useRegex ? cutterOfScan(scannerOf([GPT2_PATTERN]) ?? scanGpt2) : whole;
  if (!addPrefixSpace) return cut;
  return (text, isFirst, sink) => cut(text.startsWith(' ') ? text : ` ${text}`, isFirst, sink);
}

/** Blanks become the replacement, which also stands before the text as the scheme says. */
function metaspace(step: JsonObject): Cutter {
  const replacement = textOf(step['replacement'], 'replacement of Metaspace');
  const scheme = step['prepend_scheme'] ?? (flagOf(step['add_prefix_space'], true) ? 'always' : 'never');
  const split = flagOf(step['split'], true) ? splitBy(patternOf(replacement), 'MergedWithNext', false) : whole;
  return (text, isFirst, sink) => {
    const replaced = text.replaceAll(' ', replacement);
    const isPrepended = scheme === 'always' || (scheme === 'first' && isFirst);
    split(isPrepended && !replaced.startsWith(replacement) ? replacement + replaced : replaced, isFirst, sink);
  };
}
