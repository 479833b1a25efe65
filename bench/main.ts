/**
 * npm run bench: measures the gateway beside direct, a bare Node proxy and nginx; prints one table and keeps it.
 * Errors  exit code 1 when any answer was wrong, a target could not start, or a scenario broke its own conditions
 */
import { dirname, join } from 'node:path';
import { Bench } from './bench.ts';
import { runMatrix } from './matrix.ts';
import { HELP, readOptions } from './options.ts';
import { keep } from './report/results.ts';
import { renderSection } from './report/section.ts';
import { rerunWithSmallBuffers } from './rig/small-buffers.ts';
import { runAborts } from './scenarios/aborts.ts';
import { runDecisions } from './scenarios/decisions.ts';
import { runGrpc } from './scenarios/grpc.ts';
import { runMemory } from './scenarios/memory.ts';
import { runMicro } from './scenarios/micro.ts';
import { runOverload } from './scenarios/overload.ts';
import { runSlowClients } from './scenarios/slow-clients.ts';
import { runStreams } from './scenarios/streams.ts';

const SCENARIOS = {
  matrix: runMatrix,
  memory: runMemory,
  streams: runStreams,
  aborts: runAborts,
  'slow-clients': runSlowClients,
  overload: runOverload,
  micro: runMicro,
  decisions: runDecisions,
  grpc: runGrpc,
};

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  if (options.scenario === 'slow-clients') {
    const code = await rerunWithSmallBuffers();
    if (code !== undefined) return code;
  }
  const root = dirname(import.meta.dirname);
  const bench = new Bench(root, options);
  try {
    bench.progress(bench.cores.note);
    const { section, raw } = await SCENARIOS[options.scenario](options, bench);
    console.log(renderSection(section));
    if (options.write) keep(join(root, 'bench'), options.scenario, section, raw);
    return section.failures.length > 0 ? 1 : 0;
  } finally {
    await bench.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
