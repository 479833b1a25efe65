/** Fetching files from a hub, against servers of its own making. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { HttpFileFetcher } from './file-fetcher.ts';

async function serverFor(t: TestContext, listener: RequestListener): Promise<{ url: string; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const OPTIONS = { bearer: 'hf_secret', maxBytes: 1_000, signal: new AbortController().signal };
const fetcher = new HttpFileFetcher();

test('the body comes whole, with the credential sent to the first host and not where it redirects to', async (t) => {
  const elsewhere = await serverFor(t, (_request, response) => void response.end('file'));
  const hub = await serverFor(t, (request, response) => {
    const isFirst = request.url === '/a?b=1';
    response.writeHead(isFirst ? 307 : 302, { location: isFirst ? '/again' : `${elsewhere.url}/x` }).end('see there');
  });
  assert.equal(String(await fetcher.fetchFile(`${hub.url}/a?b=1`, OPTIONS)), 'file');
  assert.deepEqual(
    hub.seen.map(({ url, headers }) => [url, headers.authorization]),
    [
      ['/a?b=1', 'Bearer hf_secret'],
      ['/again', 'Bearer hf_secret'],
    ],
  );
  assert.deepEqual(
    elsewhere.seen.map(({ headers }) => headers.authorization),
    [undefined],
  );
});

test('a file beyond its limit ends there, announced or not', async (t) => {
  const big = Buffer.alloc(5_000);
  const announced = await serverFor(t, (_request, response) => void response.end(big));
  const chunked = await serverFor(t, (_request, response) => {
    response.write(big.subarray(0, 500));
    response.end(big);
  });
  for (const { url } of [announced, chunked])
    await assert.rejects(fetcher.fetchFile(url, OPTIONS), /^Error: a file is longer than 1000 bytes$/);
});

test('what goes wrong is told in a few words, without the URL and the credential', async (t) => {
  const refusing = await serverFor(t, (_request, response) => void response.writeHead(401).end('no'));
  const looping = await serverFor(t, (_request, response) => void response.writeHead(302, { location: '/' }).end());
  const lost = await serverFor(t, (_request, response) => void response.writeHead(302).end());
  const cut = await serverFor(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('x', () => response.destroy());
  });
  for (const [url, reason] of [
    [refusing.url, /answered with 401/],
    [looping.url, /redirects too often/],
    [lost.url, /redirects to nowhere/],
    [cut.url, /could not be reached \(/],
    ['http://127.0.0.1:1', /could not be reached \(ECONNREFUSED\)/],
    ['ftp://x/', /no http or https/],
  ] as const) {
    const thrown: unknown = await fetcher.fetchFile(url, OPTIONS).catch((error: unknown) => error);
    assert.ok(thrown instanceof Error);
    assert.match(thrown.message, reason);
    assert.doesNotMatch(thrown.message, /127\.0\.0\.1|secret/);
  }
});

test('it ends when it is aborted, and when the other side falls silent', async (t) => {
  const silent = await serverFor(t, () => undefined);
  const aborting = new AbortController();
  const fetching = fetcher.fetchFile(silent.url, { ...OPTIONS, signal: aborting.signal });
  aborting.abort();
  await assert.rejects(fetching, /took too long/);
  const impatient = new HttpFileFetcher({ connectMs: 1_000, silenceMs: 50 });
  await assert.rejects(impatient.fetchFile(silent.url, OPTIONS), /could not be reached \(UND_ERR_HEADERS_TIMEOUT\)/);
});
