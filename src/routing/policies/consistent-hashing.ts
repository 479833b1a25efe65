/**
 * `consistent_hashing`: the same key is always sent to the same worker, without anything being remembered.
 * The key is the routing key of the client, else what tells clients apart: its credential, its address, its cookie. Only
 * a hash of it lives, and no longer than the choice takes.
 */
import type { Random } from '../../base/random.ts';
import type { Candidate } from '../../domain/candidate.ts';
import type { Hints, Policy } from '../policy.ts';
import { definePolicy } from '../policy.ts';
import { Rendezvous } from '../rendezvous.ts';
import { ROUTING_KEY_HEADER } from '../sticky-keys.ts';
import { hash32 } from '../text-hash.ts';
import { drawByCost } from './random.ts';

/** Headers in the order in which they are looked at. */
const KEY_HEADERS = [ROUTING_KEY_HEADER, 'authorization', 'x-forwarded-for', 'cookie'] as const;

function keyHeader(hints: Hints): string | undefined {
  return KEY_HEADERS.find((name) => keyText(hints, name) !== '');
}

/** Empty for none. Of a list of addresses the first is the client's; the others depend on the way it took. */
function keyText(hints: Hints, name: string): string {
  const text = hints.header(name) ?? '';
  return name === 'x-forwarded-for' ? (text.split(',', 1)[0] ?? '').trim() : text;
}

class ConsistentHashing implements Policy {
  readonly #rendezvous = new Rendezvous();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  select(candidates: readonly Candidate[], hints: Hints): Candidate | undefined {
    const name = keyHeader(hints);
    if (name === undefined) return drawByCost(candidates, this.#random);
    return this.#rendezvous.find(hash32(keyText(hints, name)), candidates);
  }

  explain(_candidate: Candidate, hints: Hints): string {
    const name = keyHeader(hints);
    return name === undefined ? 'no key, by lot' : `key of ${name}`;
  }

  forget(candidate: Candidate): void {
    this.#rendezvous.forget(candidate);
  }
}

export default definePolicy({
  name: 'consistent_hashing',
  summary:
    'The worker that the routing key, credential, address or cookie of the client belongs to; by lot without any.',
  options: {},
  readsRoutingKey: true,
  create: (_options, { random }) => new ConsistentHashing(random),
});
