/** The cheap way through a stream: whole frames pass at once, nothing is lost, the end is remembered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chunksAt, cutsOf } from '../../test/support/cuts.ts';
import { frameEndsOf, streams } from '../../test/support/event-stream.ts';
import { MAX_FRAME_BYTES, SseFramer } from './sse.ts';
import { SseTail } from './sse-tail.ts';

/** Of what the tail remembers at least this much is left when a stream was that long. */
const WINDOW_BYTES = 2 * 1_024;

interface Passed {
  readonly passes: readonly Buffer[];
  readonly rest: Buffer;
  readonly last: readonly Buffer[];
}

function pass(chunks: readonly Buffer[]): Passed {
  const tail = new SseTail();
  const passes = chunks.map((chunk) => tail.push(chunk));
  const last: Buffer[] = [];
  tail.readLastFrames((frame) => last.push(frame));
  return { passes, rest: tail.takeRest(), last };
}

function framesOf(bytes: Buffer): Buffer[] {
  const framer = new SseFramer();
  const frames: Buffer[] = [];
  framer.push(bytes, (frame) => frames.push(frame));
  const rest = framer.takeRest();
  return rest.length > 0 ? [...frames, rest] : frames;
}

/** A stream of about this many bytes, as a chat sends it. */
function longStream(length: number, lineEnd = '\n'): Buffer {
  let text = '';
  for (let i = 0; text.length < length; i += 1)
    text += `data: {"n":${i},"text":"${'x'.repeat(i % 90)}"}${lineEnd}${lineEnd}`;
  return Buffer.from(`${text}data: [DONE]${lineEnd}${lineEnd}`);
}

/** Blank lines where no frame is end nothing, and one kind of line end throughout is what workers write. */
const unusual = ['mixed line ends', 'blank lines everywhere', 'only blank lines'];
const usual = Object.entries(streams).filter(([name]) => !unusual.includes(name));

for (const [name, text] of Object.entries(streams)) {
  test(`cut anywhere, a stream with ${name} passes whole, in its order`, () => {
    const bytes = Buffer.from(text);
    for (const cut of cutsOf(bytes, 2)) {
      const { passes, rest } = pass(cut.chunks);
      assert.deepEqual(Buffer.concat([...passes, rest]), bytes, cut.name);
    }
  });
}

for (const [name, text] of Object.entries(streams)) {
  test(`cut anywhere, a stream with ${name} never passes a part of a frame`, () => {
    const bytes = Buffer.from(text);
    const ends = frameEndsOf(bytes);
    for (const cut of cutsOf(bytes, 3)) {
      let at = 0;
      for (const part of pass(cut.chunks).passes) {
        at += part.length;
        if (part.length > 0) assert.ok(ends.has(at), `${cut.name}: passed up to ${at}, the middle of a frame`);
      }
    }
  });
}

for (const [name, text] of usual) {
  test(`cut anywhere, a stream with ${name} holds no frame back that is whole`, () => {
    const bytes = Buffer.from(text);
    const ends = [...frameEndsOf(bytes)];
    for (const cut of cutsOf(bytes, 4)) {
      const tail = new SseTail();
      let given = 0;
      let passed = 0;
      for (const chunk of cut.chunks) {
        given += chunk.length;
        passed += tail.push(chunk).length;
        const whole = ends.filter((end) => end <= given && bytes[end] !== 0x0a).at(-1) ?? 0;
        assert.ok(passed >= whole, `${cut.name}: ${passed} of ${whole} whole bytes passed`);
      }
    }
  });
}

test('a chunk that ends with a frame passes as it is', () => {
  const tail = new SseTail();
  for (const text of [
    'data: 1\n\n',
    'data: 2\r\n\r\n',
    'data: 3\r\r',
    'data: 4\n\ndata: 5\n\n',
    'data: 6\r\r\n',
    'data: 7\n\r\n',
    'data: 8\r\n\n',
  ]) {
    const chunk = Buffer.from(text);
    assert.equal(tail.push(chunk), chunk);
  }
});

test('the last frames are the end of the stream and hold its terminator, for every cut', () => {
  for (const lineEnd of ['\n', '\r\n', '\r']) {
    const bytes = longStream(8_000, lineEnd);
    const all = framesOf(bytes).map(String);
    for (const cut of cutsOf(bytes, 5)) {
      const last = pass(cut.chunks).last.map(String);
      assert.equal(last.join('').trimEnd().endsWith('data: [DONE]'), true, cut.name);
      // All but the first, which may be a fragment, and the line end that a cut may leave alone, are whole frames.
      const whole = last.slice(1).filter((frame) => frame.trim() !== '');
      assert.deepEqual(
        whole.map((frame) => frame.trim()),
        all.slice(all.length - whole.length).map((frame) => frame.trim()),
        cut.name,
      );
      assert.ok(Buffer.byteLength(last.join('')) >= WINDOW_BYTES, cut.name);
    }
  }
});

test('of a short stream everything is remembered', () => {
  const bytes = longStream(500);
  for (const cut of cutsOf(bytes, 6)) assert.deepEqual(Buffer.concat(pass(cut.chunks).last), bytes, cut.name);
});

test('an unfinished frame at the end is among the last frames and in the rest', () => {
  const { last, rest, passes } = pass([Buffer.from('data: 1\n\nda'), Buffer.from('ta: [DONE]')]);
  assert.deepEqual(last.map(String), ['data: 1\n\n', 'data: [DONE]']);
  assert.equal(rest.toString(), 'data: [DONE]');
  assert.equal(Buffer.concat(passes).toString(), 'data: 1\n\n');
});

test('no more is remembered than the window and one chunk', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 60 }), (sizes) => {
      const longest = Math.max(...sizes);
      const { last } = pass(sizes.map((size) => Buffer.alloc(size, 'x')));
      const kept = last.reduce((sum, frame) => sum + frame.length, 0);
      assert.ok(kept < WINDOW_BYTES + longest, `${kept} bytes kept, the longest chunk had ${longest}`);
    }),
    { numRuns: 200 },
  );
});

test('a frame without end passes in pieces: no more than the limit is held back', () => {
  for (const size of [1_000, 16_384, 65_536]) {
    const tail = new SseTail();
    let given = 0;
    let passed = 0;
    for (let i = 0; i < 400; i += 1) {
      given += size;
      passed += tail.push(Buffer.alloc(size, 'x')).length;
      assert.ok(given - passed <= MAX_FRAME_BYTES, `${given - passed} bytes held`);
    }
    assert.equal(tail.takeRest().length, given - passed);
  }
});

test('after a frame that passed in pieces the next ones are kept together again', () => {
  const tail = new SseTail();
  tail.push(Buffer.alloc(MAX_FRAME_BYTES + 1, 'x'));
  assert.equal(tail.push(Buffer.from('\n\ndata: 1')).toString(), '\n\n');
  assert.equal(tail.push(Buffer.from('\n\n')).toString(), 'data: 1\n\n');
});

test('chunks of any sizes lose nothing', () => {
  const bytes = longStream(6_000, '\r\n');
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length - 1), { maxLength: 40 }), (points) => {
      const { passes, rest } = pass(
        chunksAt(
          bytes,
          points.sort((a, b) => a - b),
        ),
      );
      assert.deepEqual(Buffer.concat([...passes, rest]), bytes);
    }),
    { numRuns: 200 },
  );
});
