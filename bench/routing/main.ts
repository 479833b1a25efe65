/**
 * npm run bench:routing: every policy over three loads in the routing laboratory, beside the goals.
 * Owns the order of the run and where its result goes; the laboratory is lab/.
 */
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { TraceError } from '../../lab/trace/lines.ts';
import { readTrace } from '../../lab/trace/read.ts';
import type { Trace } from '../../lab/trace/call.ts';
import { compare, type Comparison } from '../../lab/report/compare.ts';
import { subjectOf, usualSubjects, YARDSTICK } from '../../lab/subjects.ts';
import { keep, provenance } from '../report/results.ts';
import { renderSection } from '../report/section.ts';
import { HELP, type Options, readOptions } from './options.ts';
import { type Scenario, scenariosOf } from './scenarios.ts';
import { sectionOf } from './section.ts';
import { runTokenLoads, TOKEN_SUBJECTS, tokenLoadsOf, tokenSectionOf } from './tokens.ts';

const ROOT = dirname(dirname(import.meta.dirname));
const USUAL_TRACE = join(ROOT, '../shared/data/traces/synthetic_trace.jsonl');

/** The trace, or undefined once it has been said why there is none. A file that was named must be there. */
async function findTrace(named: string | undefined): Promise<Trace | undefined> {
  const path = named ?? USUAL_TRACE;
  if (named !== undefined || existsSync(path)) return await readTrace({ path, format: 'auto' });
  console.error(
    `skipped: the loads of the synthetic trace; ${relative(process.cwd(), path)} is not there (--trace FILE)`,
  );
  return undefined;
}

function runScenario({ trace, setting, title }: Scenario, policies: readonly string[]): Comparison | undefined {
  if (trace === undefined) return undefined;
  console.error(title);
  const subjects = policies.map((word) => subjectOf(word));
  return compare(trace, setting, { subjects, stopwatch: () => performance.now() });
}

function runTokens(file: Trace | undefined, { setting, write }: Options): void {
  const subjects = TOKEN_SUBJECTS.map((word) => subjectOf(word));
  const runs = runTokenLoads(tokenLoadsOf(file, setting), (trace, given) => {
    console.error(`${trace.name}, ${JSON.stringify(given.promptView)}`);
    return compare(trace, given, { subjects, stopwatch: () => performance.now() });
  });
  const section = tokenSectionOf(runs, { ...provenance(ROOT, 'virtual time, one process'), command: commandLine() });
  console.log(renderSection(section));
  const raw = runs.map(({ load, view, comparison }) => ({
    load: load.title,
    view,
    bound: comparison.bound,
    // What each worker did is in the outcomes of the policies beside each other.
    rows: comparison.rows.map(({ name, measures }) => ({ name, ...measures, workers: undefined })),
  }));
  if (write) keep(join(ROOT, 'bench'), 'routing-tokens', section, raw);
}

function commandLine(): string {
  return ['npm run bench:routing --', ...process.argv.slice(2)].join(' ');
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return;
  }
  if (options.tokens) return runTokens(await findTrace(options.trace), options);
  const wanted = options.policies.length === 0 ? usualSubjects : options.policies;
  const policies = [...new Set([...wanted, YARDSTICK])];
  const scenarios = scenariosOf(await findTrace(options.trace), options.setting);
  const chosen = scenarios.filter(({ key }) => options.only.length === 0 || options.only.includes(key));
  const runs = chosen.map((scenario) => ({ scenario, comparison: runScenario(scenario, policies) }));
  const section = sectionOf(runs, { ...provenance(ROOT, 'virtual time, one process'), command: commandLine() });
  console.log(renderSection(section));
  const raw = runs.map(({ scenario, comparison }) => ({
    load: scenario.key,
    bound: comparison?.bound,
    rows: comparison?.rows.map(({ name, measures }) => ({ name, ...measures })),
  }));
  if (options.write) keep(join(ROOT, 'bench'), 'routing', section, raw);
}

try {
  await main();
} catch (error) {
  const isTold = error instanceof TraceError || error instanceof RangeError;
  console.error(error instanceof Error ? (isTold ? error.message : error.stack) : error);
  process.exitCode = 1;
}
