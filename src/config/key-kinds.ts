/**
 * The entries of options that hold keys for callers. Owns how they are written and what makes two of them collide.
 * No complaint quotes any part of an entry: whoever mixes up the order has the key in another part.
 */
import { bad, good, type Kind, type Reading } from './option.ts';

export interface TenantKey {
  readonly tenant: string;
  readonly key: string;
}

export interface ControlPlaneKey {
  readonly id: string;
  readonly name: string;
  readonly role: 'admin' | 'user';
  readonly key: string;
}

/** A part's fault, or undefined for a good part. */
type Check = (part: string) => string | undefined;

const word: Check = (part) => {
  if (part === '') return 'is empty';
  return /^[\x21-\x7e]{1,64}$/.test(part) ? undefined : 'is not 1 to 64 printable ASCII characters without spaces';
};
const title: Check = (part) => {
  if (part.trim() === '') return 'is empty';
  return /^\P{Cc}{1,64}$/u.test(part) ? undefined : 'is not 1 to 64 characters on one line';
};
const role: Check = (part) => (part === 'admin' || part === 'user' ? undefined : 'is not admin or user');
const secretKey: Check = (part) => {
  if (part === '') return 'is empty';
  return /^[\x21-\x7e]+$/.test(part) ? undefined : 'is not printable ASCII text without spaces';
};

interface Part {
  readonly name: string;
  readonly check: Check;
}

/** Text of so many parts with colons between them; the last part takes the rest, colons included. */
function parted<T>(parts: readonly Part[], build: (values: readonly string[]) => T): Kind<T> {
  const form = parts.map(({ name }) => name).join(':');
  const refuse = (why: string) => bad<T>(`the value (not shown) is not ${form}: ${why}`);
  return {
    accepts: form,
    placeholder: form,
    secret: true,
    choices: [],
    read(raw) {
      if (typeof raw !== 'string') return refuse('it is no text');
      const values = splitFirst(raw.trim(), parts.length);
      if (values.length < parts.length) return refuse(`it has ${values.length - 1} of ${parts.length - 1} colons`);
      const faults = parts.flatMap(({ name, check }, index) => {
        const fault = check(values[index] ?? '');
        return fault === undefined ? [] : [`the ${name} ${fault}`];
      });
      return faults.length === 0 ? good(Object.freeze(build(values))) : refuse(faults.join(', '));
    },
  };
}

function splitFirst(text: string, count: number): string[] {
  const all = text.split(':');
  return all.length <= count ? all : [...all.slice(0, count - 1), all.slice(count - 1).join(':')];
}

export const tenantKey: Kind<TenantKey> = parted(
  [
    { name: 'tenant', check: word },
    { name: 'key', check: secretKey },
  ],
  ([tenant = '', key = '']) => ({ tenant, key }),
);

export const controlPlaneKey: Kind<ControlPlaneKey> = parted(
  [
    { name: 'id', check: word },
    { name: 'name', check: title },
    { name: 'role', check: role },
    { name: 'key', check: secretKey },
  ],
  ([id = '', name = '', given = '', key = '']) => ({ id, name, role: given === 'admin' ? 'admin' : 'user', key }),
);

export function oneKeyPerTenant(keys: readonly TenantKey[], places: readonly number[]): Reading<readonly TenantKey[]> {
  return distinct(keys, places, { what: 'tenant', of: ({ tenant }) => tenant });
}

export function oneKeyPerId(
  keys: readonly ControlPlaneKey[],
  places: readonly number[],
): Reading<readonly ControlPlaneKey[]> {
  return distinct(keys, places, { what: 'id', of: ({ id }) => id });
}

function distinct<T>(
  values: readonly T[],
  places: readonly number[],
  { what, of }: { readonly what: string; readonly of: (value: T) => string },
): Reading<readonly T[]> {
  const firsts = new Map<string, number>();
  const complaints = values.flatMap((value, index) => {
    const place = places[index] ?? 0;
    const first = firsts.get(of(value));
    if (first === undefined) firsts.set(of(value), place);
    return first === undefined ? [] : [`entry ${place}: the ${what} is that of entry ${first}`];
  });
  return complaints.length === 0 ? good(values) : { ok: false, complaints };
}

/** Where a key stands, in words that begin a problem line. */
export interface PlacedKey {
  readonly origin: string;
  readonly key: string;
}

/** One line for each key that has been given before: it would be nobody's or two people's. */
export function repeatedKeys(keys: readonly PlacedKey[]): string[] {
  const firsts = new Map<string, string>();
  return keys.flatMap(({ origin, key }) => {
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, origin);
    return first === undefined ? [] : [`${origin}: the key (not shown) is that of ${first}`];
  });
}
