/**
 * `node sim/main.ts`: starts simulated engines and providers and says where they listen. Arguments are read in `cli.ts`.
 * Exit codes: 0 after SIGTERM or SIGINT, 1 when a port is taken or a fault killed the last of them, 2 for bad arguments.
 */

import { readCommandLine } from './cli.ts';
import { type EngineOptions, type SimEngine, startEngine } from './engine.ts';
import { type ProviderSpec, type SimProvider, startProvider } from './providers/provider.ts';

const line = readCommandLine(process.argv.slice(2));
if (line.kind === 'help') {
  process.stdout.write(line.text);
} else if (line.kind === 'bad') {
  for (const problem of line.problems) process.stderr.write(`sim: ${problem}\n`);
  process.exitCode = 2;
} else {
  await run(line.engines, line.providers);
}

async function run(engines: readonly Partial<EngineOptions>[], providers: readonly ProviderSpec[]): Promise<void> {
  let alive = engines.length + providers.length;
  const onKill = () => {
    alive--;
    if (alive === 0) process.exit(1);
  };
  const end = () => process.exit(0);
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  try {
    for (const spec of providers) announceProvider(await startProvider({ ...spec, onKill }));
    for (const options of engines) announce(await startEngine({ ...options, onKill }));
  } catch (error) {
    process.stderr.write(`sim: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

function announceProvider({ url, kind, models }: SimProvider): void {
  process.stdout.write(`provider ready: ${url} (${kind}, models ${models.join(', ')})\n`);
}

function announce(engine: SimEngine): void {
  const control = engine.controlUrl === undefined ? '' : `, control ${engine.controlUrl}`;
  process.stdout.write(`engine ready: ${engine.url} (${engine.kind}, model ${engine.models.join(', ')}${control})\n`);
}
