/** Prompts of a trace as texts and as tokens: what is alike stays alike, and only that. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, sharingTrace, traceOf } from '../../test/support/lab.ts';
import type { PromptBlocks } from '../../src/domain/prompt.ts';
import { blocksOfTokens, TOKENS_PER_BLOCK } from '../../src/pipeline/token-blocks.ts';
import { hitBound } from '../trace/bound.ts';
import type { Trace } from '../trace/call.ts';
import { inPages } from '../trace/pages.ts';
import type { PromptView } from './prompt-view.ts';
import { seePrompt } from './prompt-view.ts';

const VIEWS: readonly PromptView[] = [
  { kind: 'trace' },
  { kind: 'text' },
  { kind: 'tokens', tokensPerBlock: 16 },
  { kind: 'tokens', tokensPerBlock: 128 },
];

const [first, second] = [callOf([1, 2, 3, 4]), callOf([1, 2, 7, 8], { restTokens: 40 })];
const trace = inPages(traceOf(first, second));

function blocksAt(of: Trace, index: number, view: PromptView) {
  const call = of.calls[index];
  assert.ok(call);
  return seePrompt(call, of, view).blocks;
}

/** Blocks that both prompts begin with, then those that both have anywhere. */
function sharedOf(view: PromptView): readonly [number, number] {
  const [one, two] = [blocksAt(trace, 0, view), blocksAt(trace, 1, view)];
  const names = ({ words, count }: typeof one) =>
    Array.from({ length: count }, (_, i) => `${words[2 * i]},${words[2 * i + 1]}`);
  const [left, right] = [names(one), names(two)];
  assert.equal(new Set(left).size, left.length, 'every block has a name of its own');
  const differs = left.findIndex((name, i) => name !== right[i]);
  return [differs < 0 ? left.length : differs, left.filter((name) => right.includes(name)).length];
}

for (const view of VIEWS) {
  test(`${JSON.stringify(view)}: prompts share the blocks of what they share, and no others`, () => {
    const [shared, anywhere] = sharedOf(view);
    assert.equal(anywhere, shared);
    const tokens = shared * blocksAt(trace, 0, view).tokensPerBlock;
    if (view.kind !== 'text') assert.equal(tokens, 1024);
    else assert.ok(tokens >= 1024 * 0.75 - 128 && tokens <= 1024 * 1.35, `${tokens}`);
  });
}

test('tokens are counted where they are known and estimated where they are not', () => {
  for (const view of VIEWS.filter(({ kind }) => kind !== 'text'))
    assert.equal(blocksAt(trace, 1, view).tokens, second.inputTokens);
  const { tokens, tokensPerBlock, count } = blocksAt(trace, 1, { kind: 'text' });
  assert.equal(tokensPerBlock, 128);
  assert.ok(tokens > 0.75 * second.inputTokens && tokens < 1.35 * second.inputTokens);
  assert.ok(count <= tokens / 128);
});

test('the beginning of a prompt is as long as the view counts tokens', () => {
  const call = trace.calls[0];
  assert.ok(call);
  const pages = (view: PromptView, tokens: number) => seePrompt(call, trace, view).prefixBlocks(tokens);
  assert.deepEqual(
    [1, 16, 17, 256].map((tokens) => pages({ kind: 'tokens', tokensPerBlock: 128 }, tokens)),
    [1, 1, 2, 16],
  );
  const byText = pages({ kind: 'text' }, 256);
  assert.ok(byText >= 12 && byText <= 22, `${byText}`);
});

test('pages find what the blocks of the trace find, and at most what the end of a prompt adds', () => {
  const blocks = sharingTrace(200);
  const pages = inPages(blocks);
  const [coarse, fine] = [blocks, pages].map((each) => hitBound(each, Number.POSITIVE_INFINITY));
  assert.ok(coarse !== undefined && fine !== undefined && Math.abs(fine - coarse) < 1e-9, `${coarse} ${fine}`);
  assert.deepEqual([pages.blockSize, pages.calls[0]?.promptBlocks], [16, (blocks.calls[0]?.promptBlocks ?? 0) * 32]);
  assert.equal(inPages(pages), pages);
  assert.throws(() => inPages(blocks, 100), RangeError);
});

test('blocks that the trace cannot make are refused', () => {
  const call = trace.calls[0];
  assert.ok(call);
  assert.throws(() => seePrompt(call, trace, { kind: 'tokens', tokensPerBlock: 20 }), RangeError);
});

test('as token ids prompts share as many blocks as the gateway finds in real ids', () => {
  const idsOf = (index: number): Uint32Array => {
    const call = trace.calls[index];
    assert.ok(call);
    const pages = Array.from({ length: call.promptBlocks }, (_, page) =>
      Array.from({ length: trace.blockSize }, (_unused, at) => (call.words[2 * page] ?? 0) ^ at),
    );
    const rest = Array.from({ length: call.inputTokens - call.promptBlocks * trace.blockSize }, (_, at) => at + index);
    return Uint32Array.from([...pages.flat(), ...rest]);
  };
  const alike = (one: PromptBlocks, two: PromptBlocks): number => {
    let count = 0;
    const isSame = (at: number) =>
      one.words[2 * at] === two.words[2 * at] && one.words[2 * at + 1] === two.words[2 * at + 1];
    while (count < Math.min(one.count, two.count) && isSame(count)) count += 1;
    return count;
  };
  for (const tokensPerBlock of [16, TOKENS_PER_BLOCK, 128]) {
    const view = { kind: 'tokens', tokensPerBlock } as const;
    const seen = [0, 1].map((index) => blocksAt(trace, index, view));
    const real = [0, 1].map((index) =>
      blocksOfTokens(idsOf(index), { model: 'm', adapter: undefined }, tokensPerBlock),
    );
    assert.ok(seen[0] && seen[1] && real[0] && real[1]);
    assert.equal(alike(real[0], real[1]), alike(seen[0], seen[1]));
    assert.ok(alike(seen[0], seen[1]) > 0);
    assert.deepEqual([real[0].tokens, real[1].tokens], [seen[0].tokens, seen[1].tokens]);
  }
});
