/** The framer: whatever the cuts, the bytes are all there and the frames mean the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chunksAt, cutsOf } from '../../test/support/cuts.ts';
import { eventsOf, streams } from '../../test/support/event-stream.ts';
import type { StreamEvent } from '../../test/support/event-stream.ts';
import { readFrame, readJson, SseFramer } from './sse.ts';

interface Framed {
  readonly frames: readonly Buffer[];
  readonly isWhole: readonly boolean[];
  readonly rest: Buffer;
  /** The most bytes that were held between two chunks. */
  readonly mostHeld: number;
}

function frame(chunks: readonly Buffer[], maxFrameBytes?: number): Framed {
  const framer = new SseFramer(maxFrameBytes);
  const frames: Buffer[] = [];
  const isWhole: boolean[] = [];
  let mostHeld = 0;
  for (const chunk of chunks) {
    framer.push(chunk, (bytes, whole) => {
      frames.push(bytes);
      isWhole.push(whole);
    });
    mostHeld = Math.max(mostHeld, framer.heldBytes);
  }
  const rest = framer.takeRest();
  assert.equal(framer.heldBytes, 0);
  return { frames, isWhole, rest, mostHeld };
}

function meaningOf({ frames, rest }: Framed): StreamEvent[] {
  const events: StreamEvent[] = [];
  for (const bytes of [...frames, rest]) {
    const { event, data } = readFrame(bytes);
    if (data !== undefined) events.push({ event, data });
  }
  return events;
}

for (const [name, text] of Object.entries(streams)) {
  test(`cut anywhere, a stream with ${name} keeps every byte and means the same`, () => {
    const bytes = Buffer.from(text);
    const expected = eventsOf(text);
    for (const cut of cutsOf(bytes, 1)) {
      const framed = frame(cut.chunks);
      assert.deepEqual(Buffer.concat([...framed.frames, framed.rest]), bytes, cut.name);
      assert.deepEqual(meaningOf(framed), expected, cut.name);
      assert.ok(framed.isWhole.every(Boolean), cut.name);
    }
  });
}

const line = fc.oneof(
  fc.constantFrom(
    '',
    '',
    '',
    ':',
    ': ping',
    'data',
    'data:',
    'data: {"a":1}',
    'event: x',
    'id: 1',
    '\uFEFF',
    'retry: 3',
  ),
  fc.string({ maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, '')),
);
const stream = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 30 });

test('a stream of any lines with any line ends, cut anywhere, means what the standard says', () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat(400), { maxLength: 12 }), (lines, points) => {
      const text = lines.map(([content, end]) => content + end).join('');
      // A mark is one at the very beginning only.
      fc.pre(!text.slice(1).includes('\uFEFF'));
      const bytes = Buffer.from(text);
      const framed = frame(
        chunksAt(
          bytes,
          points.filter((at) => at < bytes.length).sort((a, b) => a - b),
        ),
      );
      assert.deepEqual(Buffer.concat([...framed.frames, framed.rest]), bytes);
      assert.deepEqual(meaningOf(framed), eventsOf(text));
    }),
    { numRuns: 1_000 },
  );
});

test('a frame leaves with the chunk that ends it, not later', () => {
  const framer = new SseFramer();
  const seen: string[] = [];
  const emit = (bytes: Buffer) => seen.push(bytes.toString());
  framer.push(Buffer.from('data: 1\n'), emit);
  assert.deepEqual(seen, []);
  framer.push(Buffer.from('\ndata: 2\r\n\r'), emit);
  assert.deepEqual(seen, ['data: 1\n\n', 'data: 2\r\n\r']);
});

test('blank lines before a frame belong to it and are no frames of their own', () => {
  const { frames } = frame([Buffer.from('\n\r\ndata: 1\n\n\n\ndata: 2\n\n')]);
  assert.deepEqual(frames.map(String), ['\n\r\ndata: 1\n\n', '\n\ndata: 2\n\n']);
});

test('a frame that lies within one chunk is a view of it, not a copy', () => {
  const chunk = Buffer.from('data: 1\n\ndata: 2\n\n');
  for (const bytes of frame([chunk]).frames) assert.equal(bytes.buffer, chunk.buffer);
});

test('a frame without end is given out in pieces that are marked, and no more is held than the limit', () => {
  const text = `data: 1\n\ndata: ${'x'.repeat(5_000)}\ndata: y\n\ndata: 2\n\n`;
  const bytes = Buffer.from(text);
  for (const size of [1, 7, 64, 65, 200]) {
    const points = Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => (i + 1) * size);
    const framed = frame(
      chunksAt(
        bytes,
        points.filter((at) => at < bytes.length),
      ),
      64,
    );
    assert.deepEqual(Buffer.concat([...framed.frames, framed.rest]), bytes);
    assert.ok(framed.mostHeld <= 64, `${framed.mostHeld} bytes held`);
    assert.equal(framed.frames[0]?.toString(), 'data: 1\n\n');
    assert.equal(framed.frames.at(-1)?.toString(), 'data: 2\n\n');
    const pieces = framed.isWhole.slice(1, -1);
    assert.ok(pieces.length > 1 && pieces.every((whole) => !whole), `pieces of ${size}`);
    assert.deepEqual([framed.isWhole[0], framed.isWhole.at(-1)], [true, true]);
  }
});

test('ten megabytes without a line end pass in pieces within the default limit', () => {
  const chunk = Buffer.alloc(1_024 * 1_024, 'x');
  const framed = frame(Array.from({ length: 10 }, () => chunk));
  assert.equal(Buffer.concat([...framed.frames, framed.rest]).length, 10 * chunk.length);
  assert.ok(framed.mostHeld <= 64 * 1_024);
});

test('the framer is empty after its rest was taken, and goes on with the next frame', () => {
  const framer = new SseFramer();
  framer.push(Buffer.from('data: un'), () => assert.fail('no frame is whole'));
  assert.equal(framer.heldBytes, 8);
  assert.equal(framer.takeRest().toString(), 'data: un');
  assert.equal(framer.takeRest().length, 0);
});

test('only an object in the data is read as one', () => {
  assert.deepEqual(readJson('{"a":1}'), { a: 1 });
  for (const data of [undefined, '', '[DONE]', '[1]', '1', '"a"', 'null', '{"a":1', '{]'])
    assert.equal(readJson(data), undefined);
});
