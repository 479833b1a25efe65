import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { chunksAt, cutsOf } from '../../../../test/support/cuts.ts';
import { framed, Framer } from './framer.ts';
import type { FrameFault } from './framer.ts';

const LIMIT_BYTES = 1_000_000;

function read(chunks: readonly Buffer[], maxBytes = LIMIT_BYTES) {
  const framer = new Framer(maxBytes);
  const messages: Buffer[] = [];
  let fault: FrameFault | undefined;
  for (const chunk of chunks) {
    fault ??= framer.push(chunk, {
      frame(bytes) {
        messages.push(Buffer.from(bytes));
        return true;
      },
    });
  }
  return { messages, fault, isInside: framer.isInside };
}

test('gives the same messages however their bytes are cut', () => {
  const sent = [Buffer.from('one'), Buffer.alloc(0), Buffer.alloc(700, 7), Buffer.from('x'), Buffer.alloc(0)];
  for (const cut of cutsOf(Buffer.concat(sent.map(framed)), 5)) {
    assert.deepEqual(read(cut.chunks), { messages: sent, fault: undefined, isInside: false }, cut.name);
  }
});

test('gives the same messages for any messages and any cuts', () => {
  const someMessages = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 12 });
  fc.assert(
    fc.property(someMessages, fc.array(fc.nat(4_000), { maxLength: 30 }), (sent, points) => {
      const bytes = Buffer.concat(sent.map(framed));
      const within = [...new Set(points.filter((point) => point < bytes.length))].sort((a, b) => a - b);
      const { messages, fault } = read(chunksAt(bytes, within));
      assert.equal(fault, undefined);
      assert.deepEqual(
        messages.map((message) => message.toString('hex')),
        sent.map((message) => Buffer.from(message).toString('hex')),
      );
    }),
  );
});

test('puts a message together that is larger than its first buffer', () => {
  const sent = Buffer.from(Array.from({ length: 900_000 }, (_, at) => at % 251));
  const bytes = framed(sent);
  const points = Array.from({ length: 60 }, (_, part) => part * 15_000);
  const { messages } = read(chunksAt(bytes, points));
  assert.equal(messages.length, 1);
  assert.ok(messages[0]?.equals(sent));
});

test('knows whether it is inside a message, wherever that is cut', () => {
  const bytes = framed(Buffer.from('abc'));
  for (let at = 1; at < bytes.length; at += 1)
    assert.equal(read([bytes.subarray(0, at)]).isInside, true, `cut at ${at}`);
  assert.equal(read([bytes]).isInside, false);
  assert.equal(read([]).isInside, false);
});

test('refuses a compressed message, an unknown flag and a message above the limit wherever the prefix is cut', () => {
  const compressed = Buffer.from([1, 0, 0, 0, 2, 9, 9]);
  const unknown = Buffer.from('HTTP/1.1 400 Bad Request');
  const large = framed(Buffer.alloc(11));
  for (const { chunks, name } of cutsOf(compressed, 1)) {
    assert.deepEqual(read(chunks).fault, { kind: 'compressed', lengthBytes: 2 }, name);
  }
  for (const { chunks, name } of cutsOf(unknown, 1)) assert.equal(read(chunks).fault?.kind, 'flag', name);
  for (const { chunks, name } of cutsOf(large, 1)) {
    assert.deepEqual(read(chunks, 10).fault, { kind: 'too_large', lengthBytes: 11 }, name);
  }
  assert.equal(read([large], 11).fault, undefined);
});

test('refuses a length of 4 GiB without asking for its memory', () => {
  const before = process.memoryUsage().arrayBuffers;
  assert.equal(read([Buffer.from([0, 255, 255, 255, 255, 1])]).fault?.lengthBytes, 4_294_967_295);
  const framer = new Framer(2 ** 32);
  framer.push(Buffer.from([0, 255, 255, 255, 255, 1]), { frame: () => true });
  assert.ok(process.memoryUsage().arrayBuffers - before < 10_000_000);
});

test('gives no further message of a chunk once its target wants none', () => {
  const framer = new Framer(LIMIT_BYTES);
  let seen = 0;
  const frame = () => {
    seen += 1;
    return seen < 2;
  };
  framer.push(Buffer.concat([framed(Buffer.from('a')), framed(Buffer.from('b')), framed(Buffer.from('c'))]), { frame });
  assert.equal(seen, 2);
});
