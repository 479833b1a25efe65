/**
 * `node sim/main.ts`: starts simulated engines and says where they listen. Arguments are read in `cli.ts`.
 * Exit codes: 0 after SIGTERM or SIGINT, 1 when a port is taken or a fault killed the last engine, 2 for bad arguments.
 */

import { readCommandLine } from './cli.ts';
import { type EngineOptions, type SimEngine, startEngine } from './engine.ts';

const line = readCommandLine(process.argv.slice(2));
if (line.kind === 'help') {
  process.stdout.write(line.text);
} else if (line.kind === 'bad') {
  for (const problem of line.problems) process.stderr.write(`sim: ${problem}\n`);
  process.exitCode = 2;
} else {
  await run(line.engines);
}

async function run(engines: readonly Partial<EngineOptions>[]): Promise<void> {
  let alive = engines.length;
  const onKill = () => {
    alive--;
    if (alive === 0) process.exit(1);
  };
  const end = () => process.exit(0);
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  for (const options of engines) {
    try {
      announce(await startEngine({ ...options, onKill }));
    } catch (error) {
      process.stderr.write(`sim: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    }
  }
}

function announce(engine: SimEngine): void {
  const control = engine.controlUrl === undefined ? '' : `, control ${engine.controlUrl}`;
  process.stdout.write(`engine ready: ${engine.url} (${engine.kind}, model ${engine.models.join(', ')}${control})\n`);
}
