/** What cache_aware weighs: caches, work that waits, cost, and what it learns from answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateOf, hintsOf } from '../../../test/support/fleet.ts';
import type { MovableCandidate } from '../../../test/support/fleet.ts';
import { blocksOf, TOKENS_PER_BLOCK } from '../../../test/support/prompt-blocks.ts';
import { seededRandom } from '../../base/random.ts';
import type { LoadReport } from '../../domain/candidate.ts';
import type { AttemptVerdict, CallWatch } from '../../domain/ports.ts';
import type { Hints } from '../policy.ts';
import cacheAware from './cache-aware.ts';

const DONE: AttemptVerdict = { kind: 'success' };
const FAILED: AttemptVerdict = { kind: 'failure', error: 'upstream_unreachable', retryAfterMs: undefined };

/** A policy with a clock and workers of its own. */
class Fleet {
  nowMs = 0;
  readonly workers: MovableCandidate[];
  readonly policy;

  constructor(workers: readonly MovableCandidate[], options: Record<string, unknown> = {}, seed = 1) {
    this.workers = [...workers];
    this.policy = cacheAware.create(options, { random: seededRandom(seed), now: () => this.nowMs });
  }

  pick(text: string): MovableCandidate {
    const chosen = this.policy.select(this.workers, ask(text));
    return this.workers.find((worker) => worker === chosen) as MovableCandidate;
  }

  begin(text: string, worker = this.pick(text)): { readonly worker: MovableCandidate; readonly watch: CallWatch } {
    const watch = this.policy.begin?.(worker, ask(text));
    worker.inFlight += 1;
    return { worker, watch: watch as CallWatch };
  }

  /** A whole call: an answer of `answerMs` after `computeMs` of computing. */
  serve(text: string, computeMs = 10, worker = this.pick(text)): MovableCandidate {
    const { watch } = this.begin(text, worker);
    this.nowMs += computeMs;
    watch.firstContent();
    worker.inFlight -= 1;
    watch.ended(DONE, undefined);
    return worker;
  }

  explain(text: string, worker: MovableCandidate): string {
    this.policy.select(this.workers, ask(text));
    return this.policy.explain?.(worker, ask(text)) ?? '';
  }
}

/** One prompt after the other on each worker, 8 tokens a millisecond, and what a worker has computed stays cached. */
class Engines {
  readonly #fleet: Fleet;
  readonly #cached = new Map<MovableCandidate, Set<string>>();
  readonly #freeAt = new Map<MovableCandidate, number>();
  #due: { readonly atMs: number; run(): void }[] = [];

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  send(text: string): MovableCandidate {
    const { worker, watch } = this.#fleet.begin(text);
    const computedAt = Math.max(this.#fleet.nowMs, this.#freeAt.get(worker) ?? 0) + this.#compute(worker, text) / 8;
    this.#freeAt.set(worker, computedAt);
    const end = () => {
      worker.inFlight -= 1;
      watch.ended(DONE, undefined);
    };
    this.#due.push({ atMs: computedAt, run: () => watch.firstContent() }, { atMs: computedAt + 500, run: end });
    return worker;
  }

  playUntil(nowMs: number): void {
    for (;;) {
      const next = this.#due.filter(({ atMs }) => atMs <= nowMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (!next) break;
      this.#due = this.#due.filter((each) => each !== next);
      this.#fleet.nowMs = next.atMs;
      next.run();
    }
    this.#fleet.nowMs = nowMs;
  }

  /** Tokens that are not cached; they are from now on. */
  #compute(worker: MovableCandidate, text: string): number {
    const cached = this.#cached.get(worker) ?? new Set<string>();
    this.#cached.set(worker, cached);
    const all = Array.from({ length: text.length }, (_, i) => text.slice(0, i + 1));
    const fresh = all.filter((beginning) => !cached.has(beginning));
    for (const beginning of fresh) cached.add(beginning);
    return fresh.length * TOKENS_PER_BLOCK;
  }
}

function ask(text: string): Hints {
  const blocks = blocksOf(text);
  return hintsOf({ blocks: () => blocks, isStream: true });
}

/** The same as a worker that takes tokens sees it. */
function askInTokens(text: string): Hints {
  const blocks = blocksOf(text, 16);
  return hintsOf({ blocks: () => blocks, isStream: true });
}

function workersOf(count: number): MovableCandidate[] {
  return Array.from({ length: count }, (_, i) => candidateOf(`cache-${i}`, { slot: i }));
}

function reportOf(change: Partial<LoadReport>): LoadReport {
  const tokens = { waitingTokens: undefined, usedTokens: undefined, capacityTokens: undefined };
  return { atMs: 0, running: 0, waiting: 0, ...tokens, throughput: undefined, cacheHitRate: undefined, ...change };
}

/** A prompt of so many blocks that shares none with others. */
function prompt(name: string, blocks = 30): string {
  return `${name};`.padEnd(blocks, '.');
}

function counted(ids: readonly MovableCandidate[]): Map<MovableCandidate, number> {
  const counts = new Map<MovableCandidate, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

test('a prompt goes where its beginning is cached', () => {
  const fleet = new Fleet(workersOf(8));
  const homes = new Map(Array.from({ length: 50 }, (_, i) => [prompt(`${i}`), fleet.serve(prompt(`${i}`))]));
  for (const [text, home] of homes) assert.equal(fleet.serve(`${text}and a second turn`), home);
});

test('a prompt that is just being computed draws its twin along, unless waiting for it takes longer than anew', () => {
  const fleet = new Fleet(workersOf(8));
  const { worker } = fleet.begin(prompt('long', 200));
  fleet.nowMs += 1_000;
  assert.equal(fleet.pick(prompt('long', 200)), worker);
  for (let i = 0; i < 10; i += 1) fleet.begin(prompt(`more ${i}`, 200), worker);
  assert.notEqual(fleet.pick(prompt('long', 200)), worker);
});

test('new prompts spread by the work that waits, not by their number', () => {
  const fleet = new Fleet(workersOf(4));
  const work = new Map<MovableCandidate, number>();
  for (let i = 0; i < 400; i += 1) {
    const blocks = i % 4 === 0 ? 80 : 10;
    const { worker } = fleet.begin(prompt(`${i}`, blocks));
    work.set(worker, (work.get(worker) ?? 0) + blocks);
  }
  for (const blocks of work.values()) assert.ok(Math.abs(blocks - 2_750) < 150, `${blocks} blocks`);
});

test('the first prompt of an idle fleet goes to any worker, not always to the same', () => {
  const firsts = Array.from({ length: 200 }, (_, seed) => new Fleet(workersOf(4), {}, seed).pick(prompt('first')).slot);
  for (let slot = 0; slot < 4; slot += 1) {
    const share = firsts.filter((each) => each === slot).length;
    assert.ok(share > 30 && share < 70, `${share} of 200`);
  }
});

test('a system prompt that all share draws nobody to one worker, and conversations stay where they are', () => {
  const fleet = new Fleet(workersOf(8));
  const engines = new Engines(fleet);
  const system = 's'.repeat(30);
  const sessions = Array.from({ length: 80 }, (_, i) => ({ text: `${system}${i};`, homes: [] as MovableCandidate[] }));
  for (let turn = 0; turn < 10; turn += 1) {
    for (const session of sessions) {
      session.text += `turn ${turn}`;
      engines.playUntil(fleet.nowMs + 25);
      session.homes.push(engines.send(session.text));
    }
  }
  const shares = [...counted(sessions.flatMap(({ homes }) => homes)).values()];
  assert.equal(shares.length, 8);
  assert.ok(Math.max(...shares) < 1.5 * 100, `the busiest has ${Math.max(...shares)} of 800`);
  const kept = sessions.flatMap(({ homes }) => homes.slice(1).map((home, i) => home === homes[i]));
  assert.ok(kept.filter(Boolean).length >= 0.95 * kept.length);
});

test('a worker that was removed is forgotten, and who gets its slot inherits nothing, also not from late answers', () => {
  const fleet = new Fleet(workersOf(2));
  const [first, second] = fleet.workers as [MovableCandidate, MovableCandidate];
  fleet.serve(prompt('cached'), 10, first);
  const late = fleet.begin(prompt('late'), first);
  fleet.policy.forget?.(first);
  const heir = candidateOf('heir', { slot: first.slot });
  fleet.workers.splice(0, 2, heir, second);
  late.watch.firstContent();
  late.watch.ended(DONE, undefined);
  for (const text of ['cached', 'late']) assert.match(fleet.explain(prompt(text), heir), /^cached=0\/\d+ queued=0 /);
});

test('a worker whose cache was emptied is not taken for one that has anything', () => {
  const fleet = new Fleet(workersOf(1));
  const [worker] = fleet.workers as [MovableCandidate];
  fleet.serve(prompt('cached'));
  fleet.policy.forgetCache?.(worker);
  assert.match(fleet.explain(prompt('cached'), worker), /^cached=0\//);
});

test('a call that failed gives back its work, and its prompt is not taken for cached', () => {
  const fleet = new Fleet(workersOf(1));
  const [worker] = fleet.workers as [MovableCandidate];
  const { watch } = fleet.begin(prompt('x', 100));
  assert.match(fleet.explain(prompt('x', 100), worker), /^cached=12800\/12801 queued=12801 /);
  watch.ended(FAILED, undefined);
  assert.match(fleet.explain(prompt('x', 100), worker), /^cached=0\/12801 queued=0 expected_ms=1600$/);
});

test('a stream that broke after its first content has filled the cache all the same', () => {
  const fleet = new Fleet(workersOf(1));
  const [worker] = fleet.workers as [MovableCandidate];
  const { watch } = fleet.begin(prompt('x'));
  watch.firstContent();
  watch.ended(FAILED, undefined);
  assert.match(fleet.explain(prompt('x'), worker), /^cached=3840\/3841 /);
});

test('a dear worker gets less work, in proportion to its cost', () => {
  const fleet = new Fleet([candidateOf('cheap', { slot: 0 }), candidateOf('dear', { slot: 1, cost: 3 })]);
  const counts = counted(Array.from({ length: 400 }, (_, i) => fleet.begin(prompt(`${i}`)).worker));
  const [cheap, dear] = fleet.workers.map((worker) => counts.get(worker) ?? 0) as [number, number];
  assert.ok(Math.abs(cheap / dear - 3) < 0.3, `${cheap} and ${dear}`);
});

test('a faster worker gets more work', () => {
  const fleet = new Fleet(workersOf(2));
  const [slow, fast] = fleet.workers as [MovableCandidate, MovableCandidate];
  for (let i = 0; i < 200; i += 1) {
    fleet.serve(prompt(`slow ${i}`), 1_920, slow);
    fleet.serve(prompt(`fast ${i}`), 240, fast);
  }
  const counts = counted(Array.from({ length: 60 }, (_, i) => fleet.begin(prompt(`new ${i}`)).worker));
  assert.ok((counts.get(fast) ?? 0) > 4 * (counts.get(slow) ?? 0));
});

test('calls of others that an engine reports are work too', () => {
  const report = reportOf({ waiting: 4, waitingTokens: 40_000 });
  const busy = candidateOf('busy', { slot: 0, load: 4, report });
  const fleet = new Fleet([busy, candidateOf('idle', { slot: 1 })]);
  fleet.serve(prompt('x'), 10, busy);
  assert.equal(fleet.pick(prompt('x')).workerId, 'idle');
});

test('beyond both balance thresholds no cache counts', () => {
  for (const [options, expected] of [
    [{}, 'home'],
    [{ balanceAbsThreshold: 8 }, 'other'],
    [{ balanceAbsThreshold: 8, balanceRelThreshold: 20 }, 'home'],
  ] as const) {
    const fleet = new Fleet([candidateOf('home', { slot: 0 }), candidateOf('other', { slot: 1 })], options);
    const [home, other] = fleet.workers as [MovableCandidate, MovableCandidate];
    fleet.serve(prompt('x', 500), 10, home);
    Object.assign(home, { inFlight: 10 });
    Object.assign(other, { inFlight: 1 });
    assert.equal(fleet.pick(prompt('x', 500)).workerId, expected, JSON.stringify(options));
  }
});

test('a worker whose memory is in use beyond the thresholds is avoided, as long as there is another', () => {
  const report = reportOf({ usedTokens: 95_000, capacityTokens: 100_000 });
  const full = candidateOf('full', { slot: 0, report });
  const other = candidateOf('other', { slot: 1, report: reportOf({ usedTokens: 50_000, capacityTokens: 100_000 }) });
  for (const [options, expected] of [
    [{}, 'full'],
    [{ overloadTokenUsageThreshold: 0.9 }, 'other'],
    [{ balanceTokenUsageThreshold: 0.4 }, 'other'],
    [{ balanceTokenUsageThreshold: 0.6 }, 'full'],
  ] as const) {
    const fleet = new Fleet([full, other], options);
    fleet.serve(prompt('x'), 10, full);
    assert.equal(fleet.pick(prompt('x')).workerId, expected, JSON.stringify(options));
  }
  const alone = new Fleet([full], { overloadTokenUsageThreshold: 0.9 });
  assert.equal(alone.pick(prompt('x')), full);
});

test('little of a prompt in a cache is not worth keeping the call there', () => {
  const text = prompt('x', 10);
  for (const [cacheThreshold, stays] of [
    [0.3, true],
    [1, false],
  ] as const) {
    const fleet = new Fleet(workersOf(2), { cacheThreshold });
    const home = fleet.serve(text);
    fleet.begin(prompt('busy', 14), home);
    assert.equal(fleet.pick(`${text}${'y'.repeat(10)}`) === home, stays);
  }
});

test('a worker that was away for long gets its turn, not all calls until it has caught up', () => {
  const fleet = new Fleet(workersOf(4));
  const away = fleet.workers.pop() as MovableCandidate;
  for (let i = 0; i < 2_000; i += 1) fleet.serve(prompt(`${i}`), 60);
  fleet.workers.push(away);
  const served = Array.from({ length: 60 }, (_, i) => fleet.serve(prompt(`later ${i}`), 60));
  const share = served.filter((worker) => worker === away).length;
  assert.ok(share >= 10, `${share} of 60`);
  const held = Array.from({ length: 40 }, (_, i) => fleet.begin(prompt(`held ${i}`)).worker);
  assert.ok((counted(held).get(away) ?? 0) < 25, `${counted(held).get(away)} of 40`);
});

test('says what it holds', () => {
  const fleet = new Fleet(workersOf(2), { maxTreeSize: 1_048_576 });
  assert.equal(fleet.policy.bytesHeld, 0);
  for (let i = 0; i < 3_000; i += 1) fleet.serve(prompt(`${i}`, 60));
  const { bytesHeld } = fleet.policy;
  assert.ok(bytesHeld !== undefined && bytesHeld > 500_000 && bytesHeld <= 1_048_576, `${bytesHeld}`);
});

test('prompts as texts and prompts as tokens each return to who has them, and are counted at their own size', () => {
  const fleet = new Fleet(workersOf(4));
  const asks = [ask, askInTokens].flatMap((by) => ['a', 'b', 'c'].map((letter) => by(letter.repeat(60))));
  const serve = (hints: Hints) => {
    const worker = fleet.workers.find((each) => each === fleet.policy.select(fleet.workers, hints)) as MovableCandidate;
    const watch = fleet.policy.begin?.(worker, hints) as CallWatch;
    fleet.nowMs += 10;
    watch.firstContent();
    watch.ended(DONE, undefined);
    return worker;
  };
  const first = asks.map(serve);
  assert.deepEqual(asks.map(serve), first);
  asks.forEach((hints, index) => {
    const { tokens, tokensPerBlock } = hints.blocks();
    fleet.policy.select(fleet.workers, hints);
    const words = fleet.policy.explain?.(first[index] as MovableCandidate, hints);
    assert.match(words ?? '', new RegExp(`^cached=${60 * tokensPerBlock}/${tokens} `));
  });
});
