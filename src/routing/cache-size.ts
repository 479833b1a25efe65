/**
 * How much one worker's cache holds: what its engine reports, corrected by what its answers say was found there.
 * Units  tokens as the gateway estimates them: prompts may be cut into blocks of different sizes. Owner: one policy
 */

/** What an answer says of a prediction. */
export interface Finding {
  /** Tokens that the index expected to be cached. */
  readonly expected: number;
  /** Tokens that were. */
  readonly found: number;
  /** How many of them make a block: as fine as the index is. */
  readonly grain: number;
  /** Tokens that the worker took in between the last use of the expected ones and this call. */
  readonly distance: number;
  /** Tokens that the worker was believed to hold. */
  readonly held: number;
}

/** Token counts are estimates: what differs by less than this share, or by a block, is as expected. */
const SLACK = 0.1;
/** How far one miss moves the size towards what it proves, but no further than to this part of it. */
const SHRINK = 0.5;
/** The same where the engine reports its size: then a miss is more likely to have another cause. */
const SHRINK_KNOWN = 0.05;
const LEAST_LEFT = 0.85;
/** How much one find at the far end adds. */
const GROWTH = 1.02;
/** The far end: prompts last used so long ago that a somewhat smaller cache would have lost them. */
const FAR_END = 0.8;
/** The near end: prompts last used so lately that only an emptied cache has lost them. */
const NEAR_END = 0.4;
const LEAST_TOKENS = 8_192;
/** So many answers that found nothing of what was expected near, and none that found anything: the cache was emptied. */
const BLANKS = 4;

export class CacheSize {
  #reported = Number.POSITIVE_INFINITY;
  #learned = Number.POSITIVE_INFINITY;
  /** Engines that never say what was cached report 0; only those that once said more can be believed. */
  tells = false;
  #blanks = 0;

  /** Infinity while nobody knows. */
  get tokens(): number {
    return Math.min(this.#reported, this.#learned);
  }

  report(tokens: number): void {
    this.#reported = tokens;
  }

  /** Learns from an answer. True: so much was missing, so often, that the worker must have been started anew. */
  learn(finding: Finding): boolean {
    const { found, distance, held } = finding;
    if (found > 0) this.tells = true;
    if (!this.tells) return false;
    const isMissing = isMissed(finding);
    const isBlank = found === 0 && isMissing && distance < NEAR_END * Math.min(this.tokens, held);
    this.#blanks = isBlank ? this.#blanks + 1 : found > 0 ? 0 : this.#blanks;
    if (this.#blanks >= BLANKS) {
      this.#blanks = 0;
      this.#learned = Number.POSITIVE_INFINITY;
      return true;
    }
    this.learnByTime(finding);
    return false;
  }

  /** The same from how long the prompt took: a find or a miss, but no proof that all is gone. */
  learnByTime(finding: Finding): void {
    const { distance, held } = finding;
    if (isMissed(finding)) this.#shrink(Math.max(distance, LEAST_TOKENS), held);
    else if (distance > FAR_END * this.#learned) this.#learned *= GROWTH;
  }

  /** What was last used `distance` tokens ago has gone: the cache is smaller than that, at least it is not larger than all. */
  #shrink(distance: number, held: number): void {
    this.#learned = Math.min(this.tokens, Math.max(held, distance));
    if (distance >= this.#learned) return;
    const isKnown = Number.isFinite(this.#reported);
    const aim = this.#learned + (distance - this.#learned) * (isKnown ? SHRINK_KNOWN : SHRINK);
    this.#learned = Math.max(aim, this.#learned * LEAST_LEFT);
  }
}

function isMissed({ expected, found, grain }: Finding): boolean {
  return found < expected * (1 - SLACK) - grain;
}
