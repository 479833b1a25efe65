/**
 * `--routing-key-override`: a routing key in front of any policy. A call with a key goes to the worker of the key while
 * that can serve; else the policy chooses, and its choice is remembered. The policy hears of every call either way.
 */
import type { Candidate } from '../domain/candidate.ts';
import type { CallWatch } from '../domain/ports.ts';
import type { Hints, Policy } from './policy.ts';
import type { StickyKeys } from './sticky-keys.ts';

export class StickyPolicy implements Policy {
  readonly #inner: Policy;
  readonly #keys: StickyKeys;

  constructor(inner: Policy, keys: StickyKeys) {
    this.#inner = inner;
    this.#keys = keys;
  }

  select(candidates: readonly Candidate[], hints: Hints): Candidate | undefined {
    const key = this.#keys.keyOf(hints);
    const known = key === undefined ? undefined : this.#keys.find(key, candidates);
    return known ?? this.#inner.select(candidates, hints);
  }

  begin(candidate: Candidate, hints: Hints): CallWatch | undefined {
    const key = this.#keys.keyOf(hints);
    if (key !== undefined) this.#keys.remember(key, candidate);
    return this.#inner.begin?.(candidate, hints);
  }

  explain(candidate: Candidate, hints: Hints): string {
    const key = this.#keys.keyOf(hints);
    const isKnown = key !== undefined && this.#keys.find(key, [candidate]) === candidate;
    if (isKnown) return 'worker of the routing key';
    return this.#inner.explain?.(candidate, hints) ?? '';
  }

  forget(candidate: Candidate): void {
    this.#keys.forget(candidate);
    this.#inner.forget?.(candidate);
  }

  forgetCache(candidate: Candidate): void {
    this.#inner.forgetCache?.(candidate);
  }

  get bytesHeld(): number {
    return this.#keys.bytesHeld + (this.#inner.bytesHeld ?? 0);
  }
}
