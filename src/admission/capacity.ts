/** How many calls the fleet can run at once, by what its workers say. */
import type { FleetSnapshot } from '../domain/ports.ts';

/** What a worker that does not say is taken for. */
const UNKNOWN_WORKER = 64;
/** With no worker ready there is nothing to protect: calls come in and get their answer (503) at once. */
const NO_WORKERS = 1_024;

export function capacityOf({ workers }: FleetSnapshot): number {
  let sum = 0;
  for (const { state, facts, spec } of workers) {
    if (state !== 'ready') continue;
    const runs = facts?.maxRunning ?? UNKNOWN_WORKER;
    sum += spec.maxInFlight > 0 ? Math.min(runs, spec.maxInFlight) : runs;
  }
  return sum > 0 ? sum : NO_WORKERS;
}
