/**
 * How long cache_aware takes to decide, and what it takes to remember a million prompts.
 * Shapes  runDecisions(options, bench) → Outcome; one row per load
 * Errors  none of its own
 */
import type { Bench, Outcome } from '../bench.ts';
import { type DecisionLoad, timeDecisions, type Timing } from '../micro/decisions.ts';
import { type Filled, fillIndex, type Paused, timeFull } from '../micro/prompt-memory.ts';
import type { Options } from '../options.ts';
import type { Goal } from '../report/section.ts';
import { number } from '../report/table.ts';

const MIB = 2 ** 20;
const PROMPTS = 1_000_000;
const ROOMY_BYTES = 1_024 * MIB;
/** The default of --max-tree-size. */
const FULL_BYTES = 256 * MIB;
/** Prompts into a full index in each round. */
const MORE = 500_000;

interface Bound extends DecisionLoad {
  readonly limitUs: number;
}

const LOADS: readonly Bound[] = [
  { name: '8 KB, 8 workers', workers: 8, promptBytes: 8_192, decisions: 30_000, limitUs: 50 },
  { name: '8 KB, 100 workers', workers: 100, promptBytes: 8_192, decisions: 30_000, limitUs: 50 },
  { name: '400 KB, 100 workers', workers: 100, promptBytes: 409_600, decisions: 3_000, limitUs: 2_000 },
  { name: '8 KB, 2,000 workers', workers: 2_000, promptBytes: 8_192, decisions: 20_000, limitUs: 100 },
];

export function runDecisions({ rounds }: Options, bench: Bench): Promise<Outcome> {
  bench.progress('a million prompts');
  const filled = fillIndex(PROMPTS, ROOMY_BYTES);
  const timings = LOADS.map((load) => {
    bench.progress(load.name);
    return timeDecisions(load, rounds);
  });
  bench.progress('prompts into a full index');
  const paused = timeFull(MORE, FULL_BYTES, rounds);
  return Promise.resolve({
    section: {
      title: 'Decisions of cache_aware',
      provenance: bench.provenance,
      table: { columns: ['load', 'p50 µs', 'p99 µs', 'max µs', 'p99 µs of one round'], rows: timings.map(rowOf) },
      goals: [...timings.map(goalOf), ...memoryGoals(filled)],
      notes: notesOf(filled, paused, rounds),
      failures: filled.found < 1 ? [`only ${(filled.found * 100).toFixed(2)} % of the prompts were found`] : [],
    },
    raw: { timings, filled, paused },
  });
}

function rowOf({ p50, p99, max, rawP99 }: Timing, index: number): string[] {
  return [LOADS[index]?.name ?? '', number(p50), number(p99), number(max), number(rawP99)];
}

function goalOf({ p99 }: Timing, index: number): Goal {
  const { name, limitUs } = LOADS[index] as Bound;
  return { name: `p99, ${name}`, value: p99, limit: limitUs, direction: 'at most', unit: ' µs' };
}

function memoryGoals({ rssBytes, found }: Filled): Goal[] {
  return [
    { name: 'memory of 1 M prompts of 8 KB', value: rssBytes / MIB, limit: 1_024, direction: 'at most', unit: ' MiB' },
    { name: 'of these found again', value: found * 100, limit: 100, direction: 'at least', unit: ' %' },
  ];
}

function notesOf(filled: Filled, { meanUs, p9999Us, longestUs, heldBytes, found }: Paused, rounds: number): string[] {
  const times = `mean ${meanUs.toFixed(1)} µs, p99.99 ${p9999Us.toFixed(0)} µs, longest ${longestUs.toFixed(0)} µs`;
  return [
    `select and begin, blocks given; ${rounds} rounds of the same calls, of each call the best time; not pinned to a core`,
    `1 M distinct prompts: ${Math.round(filled.heldBytes / MIB)} MiB held by the index`,
    `${MORE / 1_000} k more into an index full at ${FULL_BYTES / MIB} MiB: ${times}; ${Math.round(heldBytes / MIB)} MiB held, ${(found * 100).toFixed(1)} % of them found`,
  ];
}
