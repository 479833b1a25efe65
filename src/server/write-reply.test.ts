import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import type { HeaderList } from '../domain/headers.ts';
import { HttpReply } from './write-reply.ts';

const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

/** All that a server which answers so sends for these bytes, until the connection ends. */
async function answerTo(request: string, answer: (reply: HttpReply) => void): Promise<string> {
  const server = createServer((_request, response) => answer(new HttpReply(response, [])));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.end(request);
  let text = '';
  for await (const bytes of socket.setEncoding('latin1')) text += String(bytes);
  return text;
}

function get(version = '1.1', method = 'GET'): string {
  return `${method} / HTTP/${version}\r\nhost: here\r\n\r\n`;
}

const TYPE: HeaderList = ['content-type', 'text/event-stream'];

function bodyOf(answer: string): string {
  return answer.slice(answer.indexOf('\r\n\r\n') + 4);
}

/** The chunks of a body as RFC 9112 §7.1 has them; throws for anything else. */
function chunksOf(body: string): string[] {
  const chunks: string[] = [];
  for (let at = 0; ; ) {
    const end = body.indexOf('\r\n', at);
    const size = body.slice(at, end);
    assert.match(size, /^[0-9a-f]+$/);
    const from = end + 2;
    const to = from + Number.parseInt(size, 16);
    assert.equal(body.slice(to, to + 2), '\r\n');
    if (to === from) {
      assert.equal(to + 2, body.length, 'nothing follows the last chunk');
      return chunks;
    }
    chunks.push(body.slice(from, to));
    at = to + 2;
  }
}

function stream(pieces: readonly string[], last?: string) {
  return (reply: HttpReply) => {
    reply.head(200, [...TYPE]);
    for (const piece of pieces) reply.write(Buffer.from(piece));
    reply.end(last === undefined ? undefined : Buffer.from(last));
  };
}

test('a body without a length goes out as valid chunks, one for each write', async () => {
  const large = 'x'.repeat(100_000);
  const pieces = ['data: 1\n\n', 'y'.repeat(8_192), large, 'data: 2\n\n', ''];
  const answer = await answerTo(get(), stream(pieces, 'end'));
  assert.match(answer, /\r\ntransfer-encoding: chunked\r\n/i);
  assert.deepEqual(chunksOf(bodyOf(answer)), [...pieces.slice(0, 4), 'end']);
});

test('a stream without anything in it is the last chunk alone', async () => {
  assert.deepEqual(chunksOf(bodyOf(await answerTo(get(), stream([])))), []);
});

test('a connection goes on with the next answer behind a body in chunks', async () => {
  const answer = await answerTo(get() + get(), stream(['one', 'two']));
  const second = answer.indexOf('HTTP/1.1', 1);
  for (const one of [answer.slice(0, second), answer.slice(second)]) {
    assert.deepEqual(chunksOf(bodyOf(one)), ['one', 'two']);
  }
});

test('a client of HTTP/1.0 gets the body as it is', async () => {
  const answer = await answerTo(get('1.0'), stream(['one', 'two']));
  assert.doesNotMatch(answer, /transfer-encoding/i);
  assert.equal(bodyOf(answer), 'onetwo');
});

test('a body with a length is not framed', async () => {
  const answer = await answerTo(get(), (reply) => {
    reply.head(200, [...TYPE, 'content-length', '6']);
    reply.write(Buffer.from('one'));
    reply.end(Buffer.from('two'));
  });
  assert.equal(bodyOf(answer), 'onetwo');
});

test('an answer that may not have a body has none', async () => {
  const withStatus = (status: number) => (reply: HttpReply) => {
    reply.head(status, [...TYPE]);
    reply.write(Buffer.from('one'));
    reply.end();
  };
  assert.equal(bodyOf(await answerTo(get('1.1', 'HEAD'), withStatus(200))), '');
  assert.equal(bodyOf(await answerTo(get(), withStatus(204))), '');
  assert.equal(bodyOf(await answerTo(get(), withStatus(304))), '');
});

test('an answer that breaks has no last chunk', async () => {
  const answer = await answerTo(get(), (reply) => {
    reply.head(200, [...TYPE]);
    reply.write(Buffer.from('one'));
    setImmediate(() => reply.destroy());
  });
  assert.equal(bodyOf(answer), '3\r\none\r\n');
});

test('a chunk that is not taken at once is told by `false`, and its drain is heard of once', async () => {
  const large = Buffer.alloc(8_000, 0x61);
  let drains = 0;
  let refused = 0;
  const answer = await answerTo(get(), (reply) => {
    reply.onDrain(() => {
      drains += 1;
      if (drains === 1) reply.end();
    });
    reply.head(200, [...TYPE]);
    for (let i = 0; i < 100; i += 1) if (!reply.write(large)) refused += 1;
  });
  assert.ok(refused > 0);
  assert.equal(drains, 1);
  assert.equal(chunksOf(bodyOf(answer)).length, 100);
});
