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

/** The id of one rank of a data-parallel worker, as candidates, breakers and metrics have it. */
export function rankIdOf(workerId: string, rank: number): string {
  return `${workerId}@${rank}`;
}

/** The worker that a member of the pool belongs to: the inverse of `rankIdOf`, and of nothing for a whole worker. */
export function workerOfMember(memberId: string): string {
  const at = memberId.indexOf('@');
  return at < 0 ? memberId : memberId.slice(0, at);
}
