/** `smg sim`: the simulator, a program of its own that src/ never imports. Owns where it is and how it is run. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The simulator's entry: beside src/, as source or built like this file. */
export function simMain(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../../sim/main.${extension}`, import.meta.url));
}

/** The command: hands all words, signals and the terminal to the simulator; resolves to its exit code. */
export function simulate(words: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [simMain(), ...words], { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
