/** Every fixture stream through the tap of its protocol: whole, cut anywhere, broken off anywhere, and by its end alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutsOf } from '../../test/support/cuts.ts';
import { framesOf, tapCases } from '../../test/support/tap-case.ts';
import { protocols } from './index.ts';
import type { StreamTap } from './protocol.ts';
import { SseFramer } from './sse.ts';
import { SseTail } from './sse-tail.ts';

interface Watched {
  readonly tap: StreamTap;
  readonly kinds: readonly string[];
}

function watch(tap: StreamTap, chunks: Iterable<Buffer>): Watched {
  const framer = new SseFramer();
  const kinds: string[] = [];
  for (const chunk of chunks) framer.push(chunk, (frame) => kinds.push(tap.frame(frame)));
  const rest = framer.takeRest();
  // The second half of a line end that was cut; no frame.
  if (rest.toString() !== '\n' && rest.length > 0) kinds.push(tap.frame(rest));
  return { tap, kinds };
}

/** The bytes up to the end of the data of the frame: the blank line after it is not waited for. */
function endOfData(frames: readonly Buffer[], index: number): number {
  const before = frames.slice(0, index + 1).reduce((sum, frame) => sum + frame.length, 0);
  return before - (/[\r\n]*$/.exec(frames[index]?.toString('latin1') ?? '')?.[0].length ?? 0);
}

test('there are fixtures for every protocol that streams', () => {
  const names = new Set(tapCases().map(({ protocol }) => protocol));
  const streaming = [
    ...['openai-chat', 'openai-completions', 'openai-responses', 'anthropic-messages', 'sglang-generate', 'gemini'],
  ];
  assert.deepEqual([...names].sort(), streaming.sort());
});

for (const { protocol, name, bytes, expected } of tapCases()) {
  const createTap = () => protocols[protocol].createTap();
  const frames = framesOf(bytes);

  test(`${protocol}, ${name}: each frame is told for what it is, and usage and failure are read, for every cut`, () => {
    for (const cut of cutsOf(bytes, 1)) {
      const { tap, kinds } = watch(createTap(), cut.chunks);
      assert.deepEqual(kinds, expected.kinds, cut.name);
      assert.deepEqual(tap.usage ?? null, expected.usage, cut.name);
      assert.equal(tap.failure ?? null, expected.failure, cut.name);
      assert.equal(tap.isComplete, expected.completeAt !== null, cut.name);
    }
  });

  test(`${protocol}, ${name}: broken off before it said that it is complete, it is never taken for complete`, () => {
    const complete = expected.completeAt === null ? Number.POSITIVE_INFINITY : endOfData(frames, expected.completeAt);
    for (let at = 0; at <= bytes.length; at += 1) {
      const { tap, kinds } = watch(createTap(), [bytes.subarray(0, at)]);
      assert.equal(tap.isComplete, at >= complete, `broken off at ${at}, complete at ${complete}`);
      assert.deepEqual(
        kinds.slice(0, -1),
        expected.kinds.slice(0, Math.max(0, kinds.length - 1)),
        `broken off at ${at}`,
      );
    }
  });

  const firstContent = expected.kinds.indexOf('content');
  if (firstContent < 0 || !createTap().endTellsAll) continue;

  test(`${protocol}, ${name}: once content has begun, the end of the stream tells all, however long the middle is`, () => {
    const opening = frames.slice(0, firstContent + 1);
    const content = frames[firstContent] as Buffer;
    const middle = Array.from({ length: Math.ceil(6_000 / content.length) }, () => content);
    const ending = Buffer.concat([...middle, ...frames.slice(firstContent + 1)]);
    for (const cut of cutsOf(ending, 2)) {
      const { tap } = watch(createTap(), opening);
      const tail = new SseTail();
      for (const chunk of cut.chunks) tail.push(chunk);
      const kinds: string[] = [];
      tail.readLastFrames((frame) => kinds.push(tap.frame(frame)));
      assert.equal(tap.isComplete, expected.completeAt !== null, cut.name);
      assert.deepEqual(tap.usage ?? null, expected.usage, cut.name);
      assert.equal(tap.failure ?? null, expected.failure, cut.name);
      assert.equal(kinds.includes('error'), expected.kinds.includes('error'), cut.name);
    }
  });

  test(`${protocol}, ${name}: the end of a stream that broke off is never taken for complete either`, () => {
    if (expected.completeAt === null) return;
    const complete = endOfData(frames, expected.completeAt);
    const from = frames.slice(0, firstContent + 1).reduce((sum, frame) => sum + frame.length, 0);
    for (let at = from; at <= bytes.length; at += 1) {
      const { tap } = watch(createTap(), [bytes.subarray(0, from)]);
      const tail = new SseTail();
      tail.push(bytes.subarray(from, at));
      tail.readLastFrames((frame) => tap.frame(frame));
      assert.equal(tap.isComplete, at >= complete, `broken off at ${at}, complete at ${complete}`);
    }
  });
}
