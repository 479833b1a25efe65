/** The `smg` process: words in, exit code out. Owns the process's end: nothing that fails leaves it half alive. */
import { run } from './cli/run.ts';

function crash(error: unknown): never {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`smg: ended by an unexpected error: ${text}\n`);
  process.exit(1);
}

process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);

// A reader that has left, as in `smg --help | head -1`, is no error of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') crash(error);
  });
}

// Not awaited at the top level: bin/smg.cjs loads this file by require().
run(process.argv.slice(2)).then((code) => process.exit(code), crash);
