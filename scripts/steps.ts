/** Runs a list of commands one after the other and says which failed; for check.ts and test.ts. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const root = fileURLToPath(new URL('..', import.meta.url));

/** A tool of node_modules, run by this very node. */
export function tool(name: string, path: string, ...args: readonly string[]): Step {
  return { name, command: process.execPath, args: [`node_modules/${path}`, ...args] };
}

export function node(name: string, ...args: readonly string[]): Step {
  return { name, command: process.execPath, args };
}

/** Runs every step, even after a failure, and ends the process with 1 when one failed. */
export function runSteps(steps: readonly Step[]): void {
  const failed: string[] = [];
  for (const { name, command, args } of steps) {
    const startedAt = Date.now();
    process.stdout.write(`\n== ${name}\n`);
    const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
    if (error) process.stdout.write(`${error.message}\n`);
    if (status !== 0) failed.push(name);
    process.stdout.write(
      `== ${name}: ${status === 0 ? 'ok' : 'FAILED'} (${((Date.now() - startedAt) / 1_000).toFixed(1)} s)\n`,
    );
  }
  if (failed.length === 0) return;
  process.stdout.write(`\nFailed: ${failed.join(', ')}\n`);
  process.exitCode = 1;
}
