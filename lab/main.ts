/**
 * The laboratory as a program: `smg simulate` starts it with its options as one word of JSON.
 * Exit codes: 0 when all was played, 1 for a trace or a file that cannot be used, 2 for an unknown policy.
 */
import { writeFile } from 'node:fs/promises';
import type { SimulateOptions } from '../src/config/command-options.ts';
import { drawComparison } from './picture/picture.ts';
import { DEFAULT_SETTING, type Setting } from './replay/setting.ts';
import { alignTable, tableOf } from './report/columns.ts';
import { type Comparison, compare } from './report/compare.ts';
import { jsonOf } from './report/json.ts';
import { conditionsOf, notesOf } from './report/words.ts';
import { subjectOf, usualSubjects } from './subjects.ts';
import { accelerate, type Trace } from './trace/call.ts';
import { generateConversations, MULTI_TURN, SHARED_SYSTEM_PROMPT } from './trace/generate.ts';
import { TraceError } from './trace/lines.ts';
import { readTrace } from './trace/read.ts';

const LOADS = { multi_turn: MULTI_TURN, shared_system_prompt: SHARED_SYSTEM_PROMPT };

function fail(message: string, code: number): void {
  process.stderr.write(`smg: ${message}\n`);
  process.exitCode = code;
}

async function loadOf({ trace: path, format, load, seed }: SimulateOptions): Promise<Trace> {
  if (path !== undefined) return await readTrace({ path, format });
  const name = load ?? 'multi_turn';
  return generateConversations(name, LOADS[name], seed);
}

function settingOf(options: SimulateOptions): Setting {
  const { workers, prefillTokensPerSecond, kvTokens, seed, usage, reportIntervalSecs, routingKeys } = options;
  const reportEveryMs = reportIntervalSecs * 1000;
  const given = { workers, prefillTokensPerSecond, kvTokens, seed, usage, reportEveryMs, sendsRoutingKey: routingKeys };
  return { ...DEFAULT_SETTING, ...given };
}

function textOf(comparison: Comparison): string {
  const table = alignTable(tableOf(comparison.rows, 'brief'));
  return [conditionsOf(comparison), '', table, '', ...notesOf(comparison), ''].join('\n');
}

async function main(options: SimulateOptions): Promise<void> {
  const words = options.policy.length === 0 ? usualSubjects : [...new Set(options.policy)];
  const subjects = words.map((word) => subjectOf(word));
  const trace = accelerate(await loadOf(options), options.speed);
  const comparison = compare(trace, settingOf(options), { subjects, stopwatch: () => performance.now() });
  process.stdout.write(options.json ? jsonOf(comparison) : textOf(comparison));
  if (options.out === undefined) return;
  await writeFile(options.out, drawComparison(comparison));
  if (!options.json) process.stdout.write(`The picture is in ${options.out}.\n`);
}

try {
  await main(JSON.parse(process.argv[2] ?? '') as SimulateOptions);
} catch (error) {
  if (error instanceof RangeError) fail(`flag --policy: ${error.message}`, 2);
  else if (error instanceof TraceError) fail(error.message, 1);
  else if (error instanceof Error && 'syscall' in error) fail(error.message, 1);
  else throw error;
}
