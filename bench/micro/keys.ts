/**
 * What looking at a key costs, and whether its time tells anything about the keys that exist.
 * Shapes  keyContests() → one for each number of keys; keyLeaks() → one goal for each pair of wrong keys
 * Units   ns for one look; |t| of Welch's test, without unit
 * Why     a guess that begins right must not take longer than one that does not (reliability: |t| below 4.5)
 */
import { randomBytes, randomInt } from 'node:crypto';
import { KeyRing } from '../../src/auth/api-keys.ts';
import type { OwnedKey } from '../../src/auth/api-keys.ts';
import { KeyGatekeeper } from '../../src/auth/gatekeeper.ts';
import { GatewayError } from '../../src/domain/errors.ts';
import type { Goal } from '../report/section.ts';
import type { Contest } from './race.ts';
import { welch } from './welch.ts';

const COUNTS = [1, 100, 1_000];
export const SAMPLES = 200_000;
const MOST_T = 4.5;
const KEY_LENGTH = 32;
/** Different guesses of one kind, so that no single text is what is measured. */
const GUESSES = 64;
/** The slowest tenth of all samples is the machine's: interrupts and collections. */
const KEPT_SHARE = 0.9;

export function keyContests(): Contest[] {
  const nobody = new KeyGatekeeper(new KeyRing([]));
  return COUNTS.map((count) => {
    const keys = ownedKeys(count);
    const gatekeeper = new KeyGatekeeper(new KeyRing(keys));
    return {
      name: `who calls, among ${count.toLocaleString('en-US')} keys`,
      contenders: [
        { name: 'no keys at all', run: (times) => look(nobody, keys[0]?.key ?? '', times) },
        { name: 'a good key', run: (times) => look(gatekeeper, keys.at(-1)?.key ?? '', times) },
        { name: 'a wrong key', run: (times) => look(gatekeeper, text(KEY_LENGTH), times) },
      ],
    };
  });
}

function look(gatekeeper: KeyGatekeeper, key: string, times: number): number {
  const headers = { host: 'x', authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  let letIn = 0;
  for (let i = 0; i < times; i++) {
    try {
      letIn += gatekeeper.check(headers, 'data').name.length + 1;
    } catch (thrown) {
      if (!(thrown instanceof GatewayError)) throw thrown;
      letIn += 1;
    }
  }
  return letIn;
}

export function keyLeaks(progress: (text: string) => void): Goal[] {
  progress('whether the time of a look tells anything');
  const keys = ownedKeys(100);
  const ring = new KeyRing(keys);
  const right = keys[0]?.key ?? '';
  const wrong = several((random) => random);
  const kinds: readonly Kind[] = [
    { ring, guesses: several((random) => right.slice(0, -8) + random.slice(0, 8)) },
    { ring, guesses: wrong },
    { ring: new KeyRing(ownedKeys(100, KEY_LENGTH * 2)), guesses: wrong },
  ];
  sample(kinds, SAMPLES / 10);
  const [near, far, other] = cropped(sample(kinds, SAMPLES));
  const goal = (name: string, a: readonly number[] = [], b: readonly number[] = []): Goal => {
    return { name, value: Math.abs(welch(a, b)), limit: MOST_T, direction: 'at most', unit: '' };
  };
  return [
    goal('|t| of a key that begins right beside one that does not', near, far),
    goal('|t| of a wrong key beside keys of its length and of another', far, other),
  ];
}

interface Kind {
  readonly ring: KeyRing;
  readonly guesses: readonly string[];
}

/** `count` samples of each kind, in random order. */
function sample(kinds: readonly Kind[], count: number): number[][] {
  const taken = kinds.map((): number[] => []);
  for (let left = count * kinds.length; left > 0; left--) {
    const at = randomInt(kinds.length);
    const { ring, guesses } = kinds[at] as Kind;
    const guess = guesses[left % GUESSES] as string;
    const startedAt = performance.now();
    const owner = ring.find(guess);
    taken[at]?.push((performance.now() - startedAt) * 1e6);
    if (owner) throw new Error('a guess was right');
  }
  return taken;
}

function cropped(samples: readonly (readonly number[])[]): number[][] {
  const all = samples.flat().sort((a, b) => a - b);
  const most = all[Math.floor(all.length * KEPT_SHARE)] ?? 0;
  return samples.map((kind) => kind.filter((value) => value <= most));
}

function several(make: (random: string) => string): string[] {
  // Joined and cut again, so that every guess is one flat text whatever it was made of.
  return Array.from({ length: GUESSES }, () => Buffer.from(make(text(KEY_LENGTH))).toString('latin1'));
}

function text(length: number): string {
  return randomBytes(length).toString('hex').slice(0, length);
}

function ownedKeys(count: number, length = KEY_LENGTH): OwnedKey[] {
  return Array.from({ length: count }, (_, index) => {
    return { key: text(length), owner: { kind: 'tenant', tenant: `tenant-${index}` } };
  });
}
