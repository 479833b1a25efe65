/**
 * The fleet of the overload scenario: simulated engines with a cost model, in a process of their own.
 * Shapes  IPC { ports } once all listen          Owner  bench/rig; ends with its parent (IPC disconnect)
 * A call of 64 tokens in a full batch takes 64 steps of 6 + 16 × 0.35 ms: 0.74 s, 21 calls a second and engine.
 */
import { startEngine } from '../../sim/engine.ts';
import { MODEL } from '../load/wire.ts';

/** Calls that one engine runs at once. */
export const BATCH = 16;
export const ENGINES = 4;

if (process.send !== undefined) {
  const engines = await Promise.all(
    Array.from({ length: ENGINES }, () => startEngine({ kind: 'vllm', models: [MODEL], maxRunning: BATCH })),
  );
  process.on('disconnect', () => process.exit(0));
  process.send({ ports: engines.map((engine) => engine.port) });
}
