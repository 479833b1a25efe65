/**
 * Programs of the package that src/ never imports: the simulator and the laboratory. Owns where they are and how they
 * are run.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The entry of a folder beside src/, as source or built like this file. */
export function programMain(folder: 'sim' | 'lab'): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../../${folder}/main.${extension}`, import.meta.url));
}

/** Hands words, signals and the terminal to the program; resolves to its exit code. */
export function runProgram(main: string, words: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [main, ...words], { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
