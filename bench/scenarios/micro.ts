/**
 * What the inner parts of a call cost, each beside its alternative.
 * Shapes  runMicro(options, bench) → Outcome; one row per contender, the alternative first
 * Units   ns, the best of --rounds
 * Errors  none of its own: a part that throws ends the run
 */
import type { Bench, Outcome } from '../bench.ts';
import { chooseWords } from '../cases.ts';
import { keyContests, keyLeaks, SAMPLES } from '../micro/keys.ts';
import { logContests } from '../micro/log.ts';
import { METRICS_OF_A_CALL, metricContests, OURS, SCRAPE } from '../micro/metrics.ts';
import { peekContests } from '../micro/peek.ts';
import { policyContests } from '../micro/policies.ts';
import { promptContests } from '../micro/prompt.ts';
import { type Contest, race, type Timed } from '../micro/race.ts';
import { sseContests } from '../micro/sse.ts';
import { translationContests } from '../micro/translation.ts';
import type { Options } from '../options.ts';
import type { Goal } from '../report/section.ts';
import { number } from '../report/table.ts';

/** Decision 0003: a twentieth of the 50 µs of a small call. */
const GOAL_CALL_NS = 2_500;
const GOAL_SCRAPE_MS = 5;
/** A first contender that does next to nothing is a floor, not an alternative: a ratio to it says nothing. */
const FLOOR_NS = 10;

interface Measured {
  readonly name: string;
  readonly timed: readonly Timed[];
}

export async function runMicro(options: Options, bench: Bench): Promise<Outcome> {
  const parts: Readonly<Record<string, () => Contest[]>> = {
    metrics: metricContests,
    peek: peekContests,
    sse: sseContests,
    log: () => logContests(bench.placeFor([]).temp),
    policies: policyContests,
    keys: keyContests,
    prompt: promptContests,
    translation: translationContests,
  };
  const measured: Measured[] = [];
  const words = chooseWords(options.only, Object.keys(parts));
  for (const word of words) {
    for (const contest of parts[word]?.() ?? []) {
      bench.progress(contest.name);
      measured.push({ name: contest.name, timed: await race(contest, options.rounds) });
    }
  }
  const leaks = words.includes('keys') ? keyLeaks(bench.progress.bind(bench)) : [];
  return {
    section: {
      title: 'Inner parts, in nanoseconds',
      provenance: bench.provenance,
      table: { columns: ['part', 'contender', 'ns', '× the first'], rows: measured.flatMap(rowsOf) },
      goals: [...goalsOf(measured), ...leaks],
      notes: [
        `in one process and in turns, the best of ${options.rounds} rounds; not pinned to a core`,
        ...(leaks.length > 0 ? [`Welch's t over ${SAMPLES} samples of each kind, in random order`] : []),
      ],
      failures: [],
    },
    raw: measured,
  };
}

function rowsOf({ name, timed }: Measured): string[][] {
  const first = timed[0]?.ns ?? Number.NaN;
  return timed.map((one) => [name, one.name, number(one.ns), first < FLOOR_NS ? '–' : number(one.ns / first)]);
}

function goalsOf(measured: readonly Measured[]): Goal[] {
  const ns = (contest: string) =>
    measured.find(({ name }) => name === contest)?.timed.find(({ name }) => name === OURS)?.ns ?? Number.NaN;
  return [
    { name: METRICS_OF_A_CALL, value: ns(METRICS_OF_A_CALL), limit: GOAL_CALL_NS, direction: 'at most', unit: ' ns' },
    { name: SCRAPE, value: ns(SCRAPE) / 1e6, limit: GOAL_SCRAPE_MS, direction: 'at most', unit: ' ms' },
  ];
}
