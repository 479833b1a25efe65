/**
 * `node sim/main.ts`: starts simulated engines and providers and says where they listen. Arguments are read in `cli.ts`.
 * Exit codes: 0 after SIGTERM or SIGINT, 1 when a port is taken or a fault killed the last of them, 2 for bad arguments.
 */

import { type CommandLine, readCommandLine } from './cli.ts';
import { type SimEngine, startEngine } from './engine.ts';
import type { GrpcEngineOptions } from './grpc/options.ts';
import { type SimProvider, startProvider } from './providers/provider.ts';

const line = readCommandLine(process.argv.slice(2));
if (line.kind === 'help') {
  process.stdout.write(line.text);
} else if (line.kind === 'bad') {
  for (const problem of line.problems) process.stderr.write(`sim: ${problem}\n`);
  process.exitCode = 2;
} else {
  await run(line);
}

async function run({ engines, grpcEngines, providers }: Extract<CommandLine, { kind: 'run' }>): Promise<void> {
  let alive = engines.length + grpcEngines.length + providers.length;
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
    if (grpcEngines.length > 0) await startGrpc(grpcEngines, onKill);
  } catch (error) {
    process.stderr.write(`sim: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

/** Its libraries are loaded only now: engines over HTTP do without them. */
async function startGrpc(engines: readonly Partial<GrpcEngineOptions>[], onKill: () => void): Promise<void> {
  const { startGrpcEngine } = await import('./grpc/engine.ts');
  for (const options of engines) announce(await startGrpcEngine({ ...options, onKill }));
}

function announceProvider({ url, kind, models }: SimProvider): void {
  process.stdout.write(`provider ready: ${url} (${kind}, models ${models.join(', ')})\n`);
}

function announce(engine: Pick<SimEngine, 'url' | 'models' | 'controlUrl'> & { readonly kind: string }): void {
  const control = engine.controlUrl === undefined ? '' : `, control ${engine.controlUrl}`;
  process.stdout.write(`engine ready: ${engine.url} (${engine.kind}, model ${engine.models.join(', ')}${control})\n`);
}
