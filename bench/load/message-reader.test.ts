import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageReader } from './message-reader.ts';

interface Message {
  head: string;
  body: string;
}

/** Collects whole messages; body pieces are joined, because where they are cut is not part of the law. */
function readAll(kind: 'request' | 'response', pieces: readonly Buffer[]): Message[] {
  const messages: Message[] = [];
  let current: Message | undefined;
  const reader = new MessageReader(kind, {
    head: (head) => {
      assert.equal(current, undefined, 'a head before the end of the last message');
      current = { head, body: '' };
    },
    body: (bytes, start, end) => {
      assert.ok(current !== undefined && end > start);
      current.body += bytes.toString('latin1', start, end);
    },
    end: () => {
      assert.ok(current !== undefined);
      messages.push(current);
      current = undefined;
    },
  });
  for (const piece of pieces) reader.push(piece);
  assert.ok(reader.isIdle);
  return messages;
}

const WIRE = [
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\nhello\r\n\r\nyo',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0A;ext=1\r\n0123456789\r\n0\r\n\r\n',
  'HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n0\r\nX-Trailer: a\r\nY: b\r\n\r\n',
  'HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy',
].join('');

const EXPECTED = ['hello\r\n\r\nyo', 'hello0123456789', '', '\n', 'busy'];

test('reads sized, chunked, empty and trailed responses one after the other', () => {
  const messages = readAll('response', [Buffer.from(WIRE)]);
  assert.deepEqual(
    messages.map((message) => message.body),
    EXPECTED,
  );
  assert.equal(messages[4]?.head, 'HTTP/1.1 503 Busy\r\ncontent-length: 4');
});

test('split-anywhere law: any one cut, byte by byte and random cuts read the same', () => {
  const bytes = Buffer.from(WIRE);
  const whole = readAll('response', [bytes]);
  for (let cut = 1; cut < bytes.length; cut++) {
    assert.deepEqual(readAll('response', [bytes.subarray(0, cut), bytes.subarray(cut)]), whole, `cut at ${cut}`);
  }
  assert.deepEqual(
    readAll(
      'response',
      [...bytes].map((byte) => Buffer.from([byte])),
    ),
    whole,
  );
  let seed = 7;
  for (let round = 0; round < 200; round++) {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      const next = at + 1 + (seed % 40);
      pieces.push(bytes.subarray(at, next));
      at = next;
    }
    assert.deepEqual(readAll('response', pieces), whole, `round ${round}`);
  }
});

test('ignores stale bytes after the given end', () => {
  const bytes = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcHTTP/1.1 500 Stale\r\n\r\n');
  const bodies: string[] = [];
  const reader = new MessageReader('response', {
    head: () => {},
    body: (piece, start, end) => bodies.push(piece.toString('latin1', start, end)),
    end: () => bodies.push('end'),
  });
  reader.push(bytes, 20);
  reader.push(bytes.subarray(20), bytes.indexOf('abc') + 3 - 20);
  assert.deepEqual(bodies, ['abc', 'end']);
});

test('a request without a length has no body', () => {
  const messages = readAll('request', [Buffer.from('GET /health HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n')]);
  assert.equal(messages.length, 2);
});

test('bad framing is an error and never a wrong count', () => {
  const bad = [
    'HTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: -4\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 0x5\r\n\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nabc\r\n',
    `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}`,
  ];
  for (const text of bad) assert.throws(() => readAll('response', [Buffer.from(text)]), Error, text.slice(0, 60));
});
