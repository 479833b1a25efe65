/** The routing laboratory's section of RESULTS.md: one table over all loads, goals and bounds as notes. */
import { tableOf } from '../../lab/report/columns.ts';
import type { Compared, Comparison } from '../../lab/report/compare.ts';
import { YARDSTICK } from '../../lab/subjects.ts';
import type { Provenance, Section } from '../report/section.ts';
import { goalText, type Scenario, yardstickOf } from './scenarios.ts';

export interface RoutingRun {
  readonly scenario: Scenario;
  /** Undefined when the load's trace is not there. */
  readonly comparison: Comparison | undefined;
}

/** The policy that the goals are set for. */
const CANDIDATE = 'cache_aware';

export function sectionOf(runs: readonly RoutingRun[], from: Provenance): Section {
  return {
    title: 'Routing laboratory',
    provenance: from,
    table: {
      columns: ['load', ...(tableOf([], 'all')[0] ?? [])],
      rows: runs.flatMap(({ scenario, comparison }) =>
        tableOf(comparison?.rows ?? [], 'all')
          .slice(1)
          .map((cells) => [scenario.title, ...cells]),
      ),
    },
    goals: [],
    notes: [...CONDITIONS, ...runs.flatMap(notesOf)],
    failures: [],
  };
}

const CONDITIONS = [
  '8 engines in virtual time: prefill 8,000 tokens/s in chunks of 2,048, a decode step 6 ms + 0.35 ms for each running call, at most 256 running. Times in ms; all figures but decisions/s are the same in every run.',
  'busiest/mean is by the prompt tokens that a worker had to compute (what waiting calls wait for), then by calls, then by the time in which the engine was not idle.',
  `${YARDSTICK}: the original's algorithm (0.3 / 64 / 1.5), in the laboratory only.`,
];

function notesOf({ scenario, comparison }: RoutingRun): string[] {
  const { title } = scenario;
  if (comparison === undefined) return [`${title}: not run, its trace is not on this machine`];
  const { bound, setting, trace } = comparison;
  const of =
    setting.kvTokens === undefined ? 'ideal, one infinite cache' : 'pooled bound, one LRU cache of all engines';
  const facts = `${title} (${trace.name}, ${trace.calls.length} calls): ${of}, finds ${(bound * 100).toFixed(1)}%`;
  return [facts, ...candidatesOf(comparison).map((row) => goalsText(scenario, row, comparison))];
}

/** Variants of the candidate too, such as `cache_aware:option=1`; every policy while there is no candidate. */
function candidatesOf({ rows }: Comparison): readonly Compared[] {
  const rivals = rows.filter(({ name }) => name !== YARDSTICK);
  const own = rivals.filter(({ name }) => name.split(':')[0] === CANDIDATE);
  return own.length === 0 ? rivals : own;
}

function goalsText({ goals, title }: Scenario, row: Compared, comparison: Comparison): string {
  const yardstick = yardstickOf(comparison) ?? row;
  return `${title}, ${row.name}: ${goals(row, yardstick).map(goalText).join(' · ')}`;
}
