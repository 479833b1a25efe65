/**
 * Which start of an engine this is, as far as it tells: `start=1763900000.1;seed=42`. What changes with a restart is
 * compared part by part, because a part may be missing from an answer that came late.
 */

export type InstanceParts = Readonly<Record<string, number | string | undefined>>;

/** Undefined when nothing is known. */
export function instanceOf(parts: InstanceParts): string | undefined {
  const known = Object.entries(parts).filter(([, value]) => value !== undefined);
  return known.length === 0 ? undefined : known.map(([name, value]) => `${name}=${value}`).join(';');
}

export type Comparison = 'same' | 'other' | 'unknown';

/** `other` when a part that both know differs; `unknown` when they know no part in common. */
export function compareInstances(before: string | undefined, after: string | undefined): Comparison {
  if (before === undefined || after === undefined) return 'unknown';
  const known = new Map(partsOf(before));
  const common = partsOf(after).filter(([name]) => known.has(name));
  if (common.length === 0) return 'unknown';
  return common.every(([name, value]) => known.get(name) === value) ? 'same' : 'other';
}

function partsOf(instance: string): (readonly [string, string])[] {
  return instance.split(';').map((part) => {
    const at = part.indexOf('=');
    return [part.slice(0, at), part.slice(at + 1)] as const;
  });
}
