/** `decoder` of tokenizer.json for vocabularies of text: what a token's name becomes, and what is cut off the whole. */

import { decoderSteps } from './decoding.ts';
import { flagOf, isObject, type JsonObject, textOf } from './json-shape.ts';
import { patternOf } from './pattern.ts';
import { UnusableTokenizer } from './unusable.ts';

/** Of one stream: holds back only what may yet be cut off. */
interface Edges {
  push(text: string): string;
  end(): string;
}

export interface TextRules {
  readonly byteFallback: boolean;
  /** The text of a token depends on the one before it. */
  readonly dependsOnPrevious: boolean;
  textOf(name: string, isFirst: boolean, previous: string | undefined): string;
  /** Absent where the whole is what its tokens are. */
  readonly createEdges: (() => Edges) | undefined;
}

/** One step on one token. */
type Step = (text: string, isFirst: boolean, previous: string | undefined) => string;

export function textRulesOf(description: unknown): TextRules {
  const steps = decoderSteps(description);
  if (steps.length === 0) return rules([(text, isFirst) => (isFirst ? text : ` ${text}`)]);
  const perToken: Step[] = [];
  let isFused = false;
  let byteFallback = false;
  let dependsOnPrevious = false;
  let createEdges: (() => Edges) | undefined;
  for (const step of steps) {
    const type = step['type'];
    if (type === 'Fuse') isFused = true;
    else if (type === 'ByteFallback' && !isFused) byteFallback = true;
    else if (type === 'Strip' && isFused && createEdges === undefined) createEdges = stripAll(step);
    else if (isFused) throw new UnusableTokenizer(`the decoder ${String(type)} behind Fuse`);
    else perToken.push(stepOf(step));
    dependsOnPrevious ||= type === 'CTC' || type === 'BPEDecoder';
  }
  return { ...rules(perToken), byteFallback, dependsOnPrevious, createEdges };
}

function rules(steps: readonly Step[]): TextRules {
  return {
    byteFallback: false,
    dependsOnPrevious: false,
    textOf: (name, isFirst, previous) => steps.reduce((text, step) => step(text, isFirst, previous), name),
    createEdges: undefined,
  };
}

function stepOf(step: JsonObject): Step {
  switch (step['type']) {
    case 'Replace':
      return replace(step);
    case 'Strip':
      return strip(step);
    case 'Metaspace':
      return metaspace(step);
    case 'WordPiece':
      return wordPiece(textOf(step['prefix'] ?? '##', 'prefix of WordPiece'), flagOf(step['cleanup'], true));
    case 'BPEDecoder':
      return bpe(textOf(step['suffix'] ?? '</w>', 'suffix of BPEDecoder'));
    case 'CTC':
      return ctc(step);
    default:
      throw new UnusableTokenizer(`the decoder ${String(step['type'])}`);
  }
}

function replace(step: JsonObject): Step {
  const content = textOf(step['content'], 'content of Replace');
  const pattern = isObject(step['pattern']) ? step['pattern']['String'] : step['pattern'];
  if (typeof pattern === 'string')
    return pattern === '' ? (text) => text : (text) => text.replaceAll(pattern, () => content);
  const expression = patternOf(step['pattern']);
  return (text) => text.replaceAll(expression, () => content);
}

function countOf(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? value : 0;
}

/** How many of at most `most` characters at the front are `content`. */
function leading(text: string, content: string, most: number): number {
  let count = 0;
  while (count < most && text.startsWith(content, count * content.length)) count++;
  return count * content.length;
}

function trailing(text: string, content: string, most: number): number {
  let count = 0;
  while (count < most && text.endsWith(content, text.length - count * content.length)) count++;
  return count * content.length;
}

function strip(step: JsonObject): Step {
  const content = textOf(step['content'], 'content of Strip');
  const [start, stop] = [countOf(step['start']), countOf(step['stop'])];
  return (text) => {
    const rest = text.slice(leading(text, content, start));
    return rest.slice(0, rest.length - trailing(rest, content, stop));
  };
}

/** `Strip` of the whole text: at the front once, at the back by holding the last ones. */
function stripAll(step: JsonObject): () => Edges {
  const content = textOf(step['content'], 'content of Strip');
  const stop = countOf(step['stop']);
  return () => {
    let start = countOf(step['start']);
    let held = '';
    return {
      push(text) {
        let rest = text;
        while (start > 0 && rest !== '') {
          if (!rest.startsWith(content)) start = 0;
          else {
            rest = rest.slice(content.length);
            start--;
          }
        }
        if (stop === 0) return rest;
        const all = held + rest;
        const kept = trailing(all, content, stop);
        held = all.slice(all.length - kept);
        return all.slice(0, all.length - kept);
      },
      end: () => '',
    };
  };
}

function metaspace(step: JsonObject): Step {
  const replacement = textOf(step['replacement'], 'replacement of Metaspace');
  const scheme = step['prepend_scheme'] ?? (flagOf(step['add_prefix_space'], true) ? 'always' : 'never');
  return (text, isFirst) => text.replaceAll(replacement, isFirst && scheme !== 'never' ? '' : ' ');
}

/** What English writes without a blank before it; token by token, as the reference does. */
function cleaned(text: string): string {
  return text
    .replaceAll(' .', '.')
    .replaceAll(' ?', '?')
    .replaceAll(' !', '!')
    .replaceAll(' ,', ',')
    .replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't")
    .replaceAll(" 'm", "'m")
    .replaceAll(' do not', " don't")
    .replaceAll(" 's", "'s")
    .replaceAll(" 've", "'ve")
    .replaceAll(" 're", "'re");
}

function wordPiece(prefix: string, cleanup: boolean): Step {
  return (text, isFirst) => {
    const continued = text.startsWith(prefix) ? text.slice(prefix.length) : ` ${text}`;
    const written = isFirst ? text : continued;
    return cleanup ? cleaned(written) : written;
  };
}

/** The blank of a word's end is written when the next token comes, for the last has none. */
function bpe(suffix: string): Step {
  return (text, _isFirst, previous) => {
    const own = text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;
    return previous?.endsWith(suffix) === true ? ` ${own}` : own;
  };
}

function ctc(step: JsonObject): Step {
  const pad = textOf(step['pad_token'] ?? '<pad>', 'pad token of CTC');
  const delimiter = textOf(step['word_delimiter_token'] ?? '|', 'delimiter of CTC');
  const cleanup = flagOf(step['cleanup'], true);
  return (text, _isFirst, previous) => {
    if (text === previous) return '';
    const plain = text.replaceAll(pad, '');
    return cleanup ? cleaned(plain).replaceAll(delimiter, ' ') : plain;
  };
}
