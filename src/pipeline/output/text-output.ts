/**
 * The tokens of one answer to its text: decodes them one by one, ends the text at the first stop token or stop string,
 * and says which tokens each piece of text came from. Pieces are the same however an engine groups its tokens.
 */
import type { ShownToken } from '../../domain/text-event.ts';
import type { OutputLogprobs, Sampling } from '../../domain/token-generation.ts';
import type { TokenDecoder, Tokenizer } from '../../domain/tokenizer.ts';
import { MARK_SIGN } from '../parsers/parser.ts';
import { shownToken } from './output-token.ts';
import type { TextAutomaton } from '../text-automaton.ts';
import { StopMatcher } from './stop-matcher.ts';
import type { LineEntry } from './token-line.ts';
import { TokenLine } from './token-line.ts';

export interface TextOutputOptions {
  readonly tokenizer: Tokenizer;
  readonly sampling: Sampling;
  /** Of `sampling.stop`; all answers to one order share them. */
  readonly stops: TextAutomaton;
  /** What ends a turn of this model. */
  readonly endTokenIds: readonly number[];
  /** Special tokens, as texts, that stay in the text though others are left out. */
  readonly markers: readonly string[];
  /** Each of them has MARK_SIGN before it. */
  readonly signsMarkers?: boolean;
  /** The pieces shall tell the ids of their tokens; those with log probabilities do so anyway. */
  readonly showsIds: boolean;
}

export interface TextPiece {
  readonly text: string;
  /** How many tokens became text since the last piece. */
  readonly count: number;
  /** The tokens that this text makes whole; empty where nobody wants them. */
  readonly ids: readonly number[];
  /** The same with log probabilities; undefined where none are wanted. */
  readonly tokens: readonly ShownToken[] | undefined;
}

export type TakePiece = (piece: TextPiece) => void;

const NONE: readonly number[] = [];

/** Ids of special tokens: the same for all answers of a model. */
const specialIds = new WeakMap<Tokenizer, ReadonlySet<number>>();

function specialIdsOf(tokenizer: Tokenizer): ReadonlySet<number> {
  let ids = specialIds.get(tokenizer);
  if (!ids) {
    ids = new Set(tokenizer.specialTokens.values());
    specialIds.set(tokenizer, ids);
  }
  return ids;
}

export class TextOutput {
  readonly #options: TextOutputOptions;
  readonly #decoder: TokenDecoder;
  readonly #matcher: StopMatcher;
  readonly #line: TokenLine | undefined;
  /** Undefined: all specials are shown. */
  readonly #left: ReadonlySet<number> | undefined;
  readonly #shown: ReadonlySet<number | undefined>;
  readonly #ends: ReadonlySet<number>;
  #count = 0;
  /** Tokens that no piece has told of. */
  #untold = 0;
  #chars = 0;
  #isOver = false;
  #matchedStop: string | number | undefined;

  constructor(options: TextOutputOptions) {
    const { tokenizer, sampling, endTokenIds, markers, stops, showsIds } = options;
    this.#options = options;
    // Which specials are left out is decided here: parsers need some of them.
    this.#decoder = tokenizer.createDecoder({ skipSpecialTokens: false });
    this.#matcher = new StopMatcher(stops, sampling.keepsStop);
    this.#line = showsIds || sampling.logprobs !== undefined ? new TokenLine() : undefined;
    this.#left = sampling.skipSpecialTokens ? specialIdsOf(tokenizer) : undefined;
    this.#shown = new Set(markers.map((marker) => tokenizer.specialTokens.get(marker)));
    this.#ends = new Set([...(sampling.ignoreEos ? [] : endTokenIds), ...sampling.stopTokenIds]);
  }

  /** A stop was found here: whatever comes is ignored. */
  get isStopped(): boolean {
    return this.#matchedStop !== undefined;
  }

  /** The string or the id of the token. */
  get matchedStop(): string | number | undefined {
    return this.#matchedStop;
  }

  /** Tokens so far, the stop token included. */
  get tokenCount(): number {
    return this.#count;
  }

  /** Tells a piece for each token that made text certain, or a token whole. */
  push(ids: ArrayLike<number>, logprobs: OutputLogprobs | undefined, take: TakePiece): void {
    for (let i = 0; i < ids.length && !this.#isOver; i += 1) this.#token({ id: ids[i] ?? 0, index: i }, logprobs, take);
  }

  /** The engine has ended the answer: the rest of the text. */
  finish(take: TakePiece): void {
    if (!this.#isOver) this.#close(take);
  }

  #token(at: { id: number; index: number }, logprobs: OutputLogprobs | undefined, take: TakePiece): void {
    const { sampling } = this.#options;
    this.#count += 1;
    const isEnd = this.#ends.has(at.id);
    if (!isEnd || sampling.keepsStop) {
      this.#untold += 1;
      const text = this.#decode(at, logprobs);
      this.#give(this.#search(text), take);
    }
    if (!isEnd || this.#isOver) return;
    this.#matchedStop = at.id;
    this.#close(take);
  }

  #decode(at: { id: number; index: number }, logprobs: OutputLogprobs | undefined): string {
    const isLeft = this.#left?.has(at.id) === true && !this.#shown.has(at.id);
    const text = isLeft ? '' : this.#signed(at.id, this.#decoder.push(at.id));
    if (!this.#line) return text;
    const { tokenizer, sampling } = this.#options;
    const tops = sampling.logprobs;
    const token = tops === undefined ? undefined : shownToken(tokenizer, { ...at, tops }, logprobs);
    this.#line.add({ id: at.id, token }, isLeft ? undefined : tokenizer.bytesOf(at.id), text);
    return text;
  }

  /** What was held before a marker is told with it. */
  #signed(id: number, text: string): string {
    if (!this.#options.signsMarkers || !this.#shown.has(id)) return text;
    const marker = this.#options.markers.find((each) => text.endsWith(each)) ?? '';
    return text.slice(0, text.length - marker.length) + MARK_SIGN + marker;
  }

  /** Engines look for no stop string in the tokens that the client wants at least. */
  #search(text: string): string {
    if (this.#count <= (this.#options.sampling.minTokens ?? 0)) return this.#matcher.pass(text);
    return this.#matcher.push(text);
  }

  #give(text: string, take: TakePiece): void {
    this.#chars += text.length;
    const matched = this.#matcher.matched;
    if (matched !== undefined) {
      this.#isOver = true;
      this.#matchedStop = matched;
    }
    const entries = matched === undefined ? this.#line?.release(this.#chars) : this.#line?.cut(this.#chars);
    this.#tell(text, entries, take);
  }

  #tell(text: string, entries: readonly LineEntry[] | undefined, take: TakePiece): void {
    if (text === '' && (!entries || entries.length === 0)) return;
    const count = entries ? entries.length : this.#untold;
    this.#untold -= count;
    const hasLogprobs = this.#options.sampling.logprobs !== undefined;
    take({
      text,
      count,
      ids: entries ? entries.map(({ id }) => id) : NONE,
      tokens: hasLogprobs ? entries?.flatMap(({ token }) => token ?? []) : undefined,
    });
  }

  #close(take: TakePiece): void {
    const rest = this.#decoder.end();
    this.#line?.close(rest);
    this.#give(this.#search(rest), take);
    if (!this.#isOver) this.#give(this.#matcher.end(), take);
    this.#isOver = true;
  }
}
