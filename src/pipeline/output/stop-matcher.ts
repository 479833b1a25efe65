/**
 * Looks for stop strings in text that comes in pieces. The first one to be complete counts, of several that end at the
 * same place the longest. Held back is only the longest end of the text that a stop string begins with.
 * Rules  a pair of surrogates is never cut: text from a decoder has no halves of them, and stop strings none that count
 */
import { GatewayError } from '../../domain/errors.ts';
import { TextAutomaton } from '../text-automaton.ts';

/** Of all strings together: bounds what a request can make us keep. */
const MAX_STOP_CHARS = 65_536;

/** Of most requests. */
const NOTHING = new TextAutomaton([]);

/**
 * The strings of one request, compiled: all its answers share them. Throws `invalid_request` for an empty string and
 * for too much of them.
 */
export function compileStops(texts: readonly string[]): TextAutomaton {
  if (texts.length === 0) return NOTHING;
  if (texts.includes('')) throw refuse('must not be empty');
  const chars = texts.reduce((sum, text) => sum + text.length, 0);
  if (chars > MAX_STOP_CHARS) throw refuse(`must have at most ${MAX_STOP_CHARS} characters`);
  return new TextAutomaton(texts);
}

function refuse(problem: string): GatewayError {
  return new GatewayError('invalid_request', `Stop strings ${problem}.`, { param: 'stop' });
}

export class StopMatcher {
  readonly #stops: TextAutomaton;
  readonly #keepsStop: boolean;
  #node = 0;
  #held = '';
  #matched: string | undefined;

  /** `keepsStop`: what was matched stays at the end of the text. */
  constructor(stops: TextAutomaton, keepsStop: boolean) {
    this.#stops = stops;
    this.#keepsStop = keepsStop;
  }

  /** The string that was found: the text has ended. */
  get matched(): string | undefined {
    return this.#matched;
  }

  /** The text that is certain now. Nothing after a match. */
  push(text: string): string {
    if (this.#matched !== undefined || text === '') return '';
    const stops = this.#stops;
    if (stops.texts.length === 0) return text;
    const all = this.#held + text;
    let node = this.#node;
    for (let at = this.#held.length; at < all.length; at += 1) {
      node = stops.next(node, all.charCodeAt(at));
      const hit = stops.hitOf(node);
      if (hit >= 0) return this.#match(all.slice(0, at + 1), stops.texts[hit] ?? '');
    }
    this.#node = node;
    const certain = all.length - stops.depthOf(node);
    this.#held = all.slice(certain);
    return all.slice(0, certain);
  }

  /** Text in which nothing is looked for: what was held back comes first. */
  pass(text: string): string {
    const all = this.#held + text;
    this.#held = '';
    this.#node = 0;
    return all;
  }

  /** The text has ended without a match: what was held back. */
  end(): string {
    return this.pass('');
  }

  #match(text: string, stop: string): string {
    this.#matched = stop;
    this.#held = '';
    return this.#keepsStop ? text : text.slice(0, -stop.length);
  }
}
