/** Small loads and runs for the tests of the laboratory. */
import { seededRandom } from '../../src/base/random.ts';
import { type Replayed, replay } from '../../lab/replay/replay.ts';
import { DEFAULT_SETTING, type Setting } from '../../lab/replay/setting.ts';
import { subjectOf } from '../../lab/subjects.ts';
import type { Trace, TraceCall } from '../../lab/trace/call.ts';
import { chainWords } from '../../lab/trace/words.ts';

/** A call whose prompt is these blocks and a rest of `restTokens`. */
export function callOf(blocks: readonly number[], change: Partial<TraceCall> & { readonly restTokens?: number } = {}) {
  const { restTokens = 1, ...given } = change;
  const call: TraceCall = {
    arrivedMs: 0,
    inputTokens: blocks.length * 512 + restTokens,
    outputTokens: 4,
    words: chainWords(blocks),
    promptBlocks: blocks.length,
    session: undefined,
    ...given,
  };
  return call;
}

export function traceOf(...calls: readonly TraceCall[]): Trace {
  return { name: 'test', calls, blockSize: 512, blocksPerHint: 1 };
}

/** Prompts of a few blocks that share beginnings, some of them; `calls` of them about every 50 ms. */
export function sharingTrace(calls: number, seed = 1): Trace {
  const random = seededRandom(seed);
  const draw = (bound: number) => Math.floor(random.next() * bound);
  return traceOf(
    ...Array.from({ length: calls }, (_, index) => {
      const family = draw(6) * 1000;
      const shared = Array.from({ length: draw(8) }, (_, block) => family + block);
      const own = Array.from({ length: draw(3) }, (_, block) => 1_000_000 + index * 10 + block);
      return callOf([...shared, ...own], {
        arrivedMs: index * 50 + draw(40),
        restTokens: 1 + draw(500),
        outputTokens: draw(20),
      });
    }),
  );
}

export function play(trace: Trace, word: string, change: Partial<Setting> = {}): Replayed {
  return replay(trace, { ...DEFAULT_SETTING, workers: 4, ...change }, { subject: subjectOf(word), stopwatch: () => 0 });
}
