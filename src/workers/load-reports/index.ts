/** Where each engine reports its load, the best place first. An engine that is not here reports none. */
import type { Engine } from '../../domain/worker.ts';
import type { LoadSource } from './engine-load.ts';
import { sglangSources } from './sglang.ts';
import { vllmSources } from './vllm.ts';

const SOURCES: Partial<Readonly<Record<Engine, readonly LoadSource[]>>> = { sglang: sglangSources, vllm: vllmSources };
const NONE: readonly LoadSource[] = [];

export function loadSourcesOf(engine: Engine): readonly LoadSource[] {
  return SOURCES[engine] ?? NONE;
}
