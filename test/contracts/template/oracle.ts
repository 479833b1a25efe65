/** Python's own Jinja as a judge: one child process renders everything. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface OracleJob {
  readonly source: string;
  /** A JSON object. */
  readonly variables: string;
}

/** A text, or the name of what was raised: a syntax error, or an error of the render. */
export type Outcome =
  | { readonly kind: 'text'; readonly text: string; readonly message?: never }
  | { readonly kind: 'syntax' | 'error'; readonly message: string };

/** The moment at which all templates are rendered; the same as the oracle's. */
export const MOMENT_MS = Date.UTC(2026, 2, 7, 9, 5, 3);

const SCRIPT = fileURLToPath(new URL('oracle.py', import.meta.url));
const MOST_BYTES = 1 << 28;

/** Why Python cannot judge here; undefined: it can. */
export function oracleIsMissing(): string | undefined {
  const run = spawnSync('python3', ['-c', 'import jinja2']);
  if (run.error !== undefined) return 'python3 is not installed';
  return run.status === 0 ? undefined : 'python3 has no jinja2';
}

export function askOracle(jobs: readonly OracleJob[]): readonly Outcome[] {
  const input = jobs.map((job) => `${JSON.stringify(job)}\n`).join('');
  const run = spawnSync('python3', [SCRIPT], { input, maxBuffer: MOST_BYTES, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`the oracle failed: ${run.stderr}`);
  return run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => outcomeOf(JSON.parse(line)));
}

function outcomeOf(answer: Record<string, string | undefined>): Outcome {
  if (answer['text'] !== undefined) return { kind: 'text', text: answer['text'] };
  if (answer['syntax'] !== undefined) return { kind: 'syntax', message: answer['syntax'] };
  return { kind: 'error', message: `${answer['error'] ?? ''}: ${answer['message'] ?? ''}` };
}
