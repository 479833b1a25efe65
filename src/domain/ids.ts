/** Ids that are derived, not drawn: the same worker has the same id after a restart. */

/** FNV-1a, 32 bits, over UTF-16 code units: short, stable, not for secrets. */
export function fnv1a(text: string, seed = 0x811c9dc5): number {
  let hash = seed;
  for (let i = 0; i < text.length; i += 1) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

function hex8(value: number): string {
  return value.toString(16).padStart(8, '0');
}

/** 8 hex digits for a normalised URL; 16, then 24 … when a shorter one is taken. */
export function workerIdOf(url: string, isTaken: (id: string) => boolean): string {
  let id = '';
  for (let round = 0; ; round += 1) {
    id += hex8(fnv1a(url, 0x811c9dc5 + round));
    if (!isTaken(id)) return id;
  }
}
