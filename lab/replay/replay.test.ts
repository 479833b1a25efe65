import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoadReport } from '../../src/domain/candidate.ts';
import type { Usage } from '../../src/domain/usage.ts';
import type { Policy } from '../../src/routing/policy.ts';
import { callOf, play, sharingTrace, traceOf } from '../../test/support/lab.ts';
import { measure } from '../report/measures.ts';
import { usualSubjects, YARDSTICK } from '../subjects.ts';
import { hitBound } from '../trace/bound.ts';
import type { Trace } from '../trace/call.ts';
import { replay } from './replay.ts';
import { DEFAULT_SETTING, type Setting } from './setting.ts';

const names = [...usualSubjects, YARDSTICK];

/** Plays a policy of the test's own. */
function playOwn(trace: Trace, create: (deps: { now(): number }) => Policy, change: Partial<Setting> = {}) {
  const setting = { ...DEFAULT_SETTING, workers: 2, ...change };
  return replay(trace, setting, { subject: { name: 'own', create }, stopwatch: () => 0 });
}

for (const name of names) {
  test(`${name}: every call ends, its tokens are all there, and no time runs backwards`, () => {
    const trace = sharingTrace(300);
    for (const kvTokens of [undefined, 30_000]) {
      const { outcomes } = play(trace, name, { kvTokens });
      trace.calls.forEach(({ arrivedMs, inputTokens, outputTokens }, index) => {
        const worker = outcomes.worker[index] as number;
        assert.ok(worker >= 0 && worker < 4);
        assert.equal(outcomes.generatedTokens[index], outputTokens);
        const cached = outcomes.cachedTokens[index] as number;
        assert.ok(cached >= 0 && cached < inputTokens && cached % 512 === 0);
        assert.ok((outcomes.firstTokenMs[index] as number) > arrivedMs);
        assert.ok((outcomes.finishedMs[index] as number) >= (outcomes.firstTokenMs[index] as number));
      });
    }
  });

  test(`${name}: the same seed gives the same figures, to the last digit`, () => {
    const trace = sharingTrace(200);
    const figures = () => JSON.stringify(measure(trace, play(trace, name, { kvTokens: 40_000, seed: 7 })));
    assert.equal(figures(), figures());
  });

  test(`${name}: finds no more than one infinite cache would`, () => {
    for (const seed of [1, 2, 3]) {
      const trace = sharingTrace(200, seed);
      const { hitRate } = measure(trace, play(trace, name));
      assert.ok(hitRate <= hitBound(trace, Number.POSITIVE_INFINITY) + 1e-12);
    }
  });
}

test('one worker with an endless cache and no hurry finds all that can be found', () => {
  const { calls, ...trace } = sharingTrace(100);
  const slow = { ...trace, calls: calls.map((call, index) => ({ ...call, arrivedMs: index * 60_000 })) };
  const { hitRate } = measure(slow, play(slow, 'round_robin', { workers: 1 }));
  assert.equal(hitRate, hitBound(slow, Number.POSITIVE_INFINITY));
});

test('the watch hears first content and usage when they happen, in the order of time over all workers', () => {
  const heard: [number, string][] = [];
  const usages: (Usage | undefined)[] = [];
  const trace = traceOf(
    callOf([1, 2], { arrivedMs: 0 }),
    callOf([1], { arrivedMs: 10 }),
    callOf([1, 2], { arrivedMs: 900 }),
  );
  let turn = 0;
  const { outcomes } = playOwn(trace, (clock) => ({
    select: (candidates) => candidates[turn++ % 2],
    begin: ({ workerId }) => ({
      firstContent: () => heard.push([clock.now(), `first ${workerId}`]),
      ended: (verdict, usage) => {
        assert.equal(verdict.kind, 'success');
        heard.push([clock.now(), `ended ${workerId}`]);
        usages.push(usage);
      },
    }),
  }));
  const times = heard.map(([ms]) => ms);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  assert.deepEqual(
    times,
    [...outcomes.firstTokenMs, ...outcomes.finishedMs].sort((a, b) => a - b),
  );
  assert.deepEqual(heard[0]?.[1], 'first worker-2', 'the short prompt is computed first');
  assert.deepEqual(usages.at(-1), { inputTokens: 1025, outputTokens: 4, cachedInputTokens: 1024 });
});

test('answers can be told to say less of their tokens', () => {
  const trace = traceOf(callOf([1]), callOf([1], { arrivedMs: 5000 }));
  const usagesOf = (usage: Setting['usage']) => {
    const usages: (Usage | undefined)[] = [];
    const watch = { firstContent: () => undefined, ended: (_: unknown, told: Usage | undefined) => usages.push(told) };
    playOwn(trace, () => ({ select: ([first]) => first, begin: () => watch }), { usage });
    return usages;
  };
  assert.deepEqual(
    usagesOf('cached').map((usage) => usage?.cachedInputTokens),
    [0, 512],
  );
  assert.deepEqual(
    usagesOf('counts').map((usage) => usage?.cachedInputTokens),
    [0, 0],
  );
  assert.deepEqual(usagesOf('none'), [undefined, undefined]);
});

test('a candidate shows the calls under way at once and the engine as of the last poll', () => {
  const trace = traceOf(
    ...[0, 0, 0, 2_500, 60_000].map((arrivedMs) => callOf([arrivedMs], { arrivedMs, outputTokens: 600 })),
  );
  const seen: { inFlight: number; report: LoadReport | undefined }[] = [];
  const create = (): Policy => ({
    select: ([first]) => {
      seen.push({ inFlight: first?.inFlight ?? -1, report: first?.report });
      return first;
    },
  });
  playOwn(trace, create, { reportEveryMs: 1000 });
  assert.deepEqual(
    seen.map(({ inFlight }) => inFlight),
    [0, 1, 2, 3, 0],
  );
  assert.deepEqual(
    seen.slice(0, 3).map(({ report }) => report),
    [undefined, undefined, undefined],
  );
  const { report } = seen[3] ?? {};
  assert.equal(report?.atMs, 2000);
  assert.equal(report?.capacityTokens !== undefined && report.capacityTokens > 0, true);
  assert.deepEqual([seen[4]?.report?.running, seen[4]?.report?.waiting, seen[4]?.report?.usedTokens], [0, 0, 0]);
  seen.length = 0;
  playOwn(trace, create, { reportEveryMs: 0 });
  assert.ok(seen.every((each) => each.report === undefined));
});

test('a policy sees the blocks of the prompt, never those of the answer', () => {
  const words = callOf([1, 2, 3]).words;
  const trace = traceOf(callOf([1, 2], { words, outputTokens: 600 }));
  let length = 0;
  playOwn(trace, () => ({
    select: ([first], hints) => {
      length = hints.blocks().words.length;
      return first;
    },
  }));
  assert.equal(length, 4);
});

test('a call that fits into no engine is refused and told so, and the run goes on', () => {
  const trace = traceOf(callOf([1, 2, 3, 4]), callOf([1], { arrivedMs: 1 }));
  const verdicts: string[] = [];
  const watch = { firstContent: () => undefined, ended: ({ kind }: { kind: string }) => verdicts.push(kind) };
  const replayed = playOwn(trace, () => ({ select: ([first]) => first, begin: () => watch }), { kvTokens: 1536 });
  assert.deepEqual(verdicts, ['neutral', 'success']);
  const { refused, calls, hitRate } = measure(trace, replayed);
  assert.deepEqual([refused, calls, hitRate], [1, 2, 0]);
});

test('a policy that chooses a worker of its own making ends the run', () => {
  const create = (): Policy => ({
    select: ([first]) => (first === undefined ? first : { ...first, slot: first.slot }),
  });
  assert.throws(() => playOwn(traceOf(callOf([1])), create), /chose no worker/);
});

test('conversations name themselves as routing key only when told to', () => {
  const trace = traceOf(callOf([1], { session: 3 }));
  const keysOf = (sendsRoutingKey: boolean) => {
    const keys: (string | undefined)[] = [];
    const select: Policy['select'] = ([first], hints) => {
      keys.push(hints.header('x-smg-routing-key'), hints.header('authorization'));
      return first;
    };
    playOwn(trace, () => ({ select }), { sendsRoutingKey });
    return keys;
  };
  assert.deepEqual(keysOf(false), [undefined, undefined]);
  assert.deepEqual(keysOf(true), ['session-3', undefined]);
});
