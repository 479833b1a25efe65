/** Fetching what a client names, against servers of its own making. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { ManualClock, systemClock } from '../../base/clock.ts';
import { GatewayError } from '../../domain/errors.ts';
import { HttpMediaFetcher, MEDIA_LIMITS } from './media-fetcher.ts';
import type { MediaFetcherOptions } from './media-fetcher.ts';
import { isPublicAddress } from './public-address.ts';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const NEVER = new AbortController().signal;

async function serverFor(
  t: TestContext,
  listener: RequestListener,
): Promise<{ port: number; seen: IncomingMessage[] }> {
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
  return { port: (server.address() as AddressInfo).port, seen };
}

function fetcherFor(options: Partial<MediaFetcherOptions> = {}): HttpMediaFetcher {
  return new HttpMediaFetcher(systemClock, { allowedHosts: ['127.0.0.1', 'files.test'], ...options });
}

async function reasonOf(promise: Promise<unknown>): Promise<string> {
  const thrown: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof GatewayError)) throw new Error(`It was not refused, or by ${String(thrown)}.`);
  assert.equal(thrown.code, 'media_unreachable');
  return thrown.message;
}

test('a picture comes as base64 with the type that its bytes have', async (t) => {
  const { port, seen } = await serverFor(t, (_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(PNG);
  });
  const fetched = await fetcherFor().fetch(`http://127.0.0.1:${port}/a.gif?x=1#y`, 'image', NEVER);
  assert.deepEqual(fetched, { base64: PNG.toString('base64'), mediaType: 'image/png' });
  assert.equal(seen[0]?.url, '/a.gif?x=1');
  const names = Object.keys(seen[0]?.headers ?? {});
  assert.deepEqual(
    names.filter((name) => /auth|cookie|key|smg/.test(name)),
    [],
  );
});

for (const [bytes, kind, expected] of [
  ['%PDF-1.7 x', 'file', 'application/pdf'],
  ['plain words', 'file', 'text/plain'],
  ['RIFF\0\0\0\0WAVEfmt ', 'audio', 'audio/wav'],
  ['RIFF\0\0\0\0WEBPVP8 ', 'image', 'image/webp'],
  ['ID3\x04', 'audio', 'audio/mpeg'],
  ['%PDF-1.7 x', 'image', 'is not a picture'],
  ['<svg></svg>', 'image', 'is not a picture'],
  ['\0\x01\x02', 'file', 'is not a kind of file that is known here'],
  ['', 'file', 'is not a kind of file that is known here'],
  ['plain words', 'audio', 'is not a sound'],
] as const) {
  test(`${JSON.stringify(bytes)} as ${kind}: ${expected}`, async (t) => {
    const { port } = await serverFor(t, (_request, response) => void response.end(Buffer.from(bytes, 'latin1')));
    const promise = fetcherFor().fetch(`http://127.0.0.1:${port}/`, kind, NEVER);
    const got = expected.startsWith('is ') ? await reasonOf(promise) : (await promise).mediaType;
    assert.equal(got, expected);
  });
}

for (const address of [
  ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '100.100.100.200', '127.0.0.1', '127.8.8.8', '169.254.169.254'],
  ...['172.16.0.1', '172.31.255.255', '192.0.0.192', '192.168.1.1', '198.18.0.1', '224.0.0.1', '255.255.255.255'],
  ...['168.63.129.16', '::', '::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::127.0.0.1', '64:ff9b::7f00:1'],
  ...[
    '64:ff9b:1::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    '100::1',
    '2002:7f00:1::',
    '2001::1',
  ],
  ...['2001:db8::1', '3fff::1', 'fe80::1%lo', '127.1', 'localhost', ''],
]) {
  test(`nothing is fetched from ${JSON.stringify(address)}`, async () => {
    assert.equal(isPublicAddress(address), false);
    const options = { allowedHosts: [], lookup: () => Promise.resolve([{ address, family: 4 }]) };
    const reason = await reasonOf(fetcherFor(options).fetch('http://files.test/', 'image', NEVER));
    assert.match(reason, /does not lead to a public address/);
  });
}

test('public addresses are public', () => {
  for (const address of ['8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '2606:4700::1111', '2a00:1450::1']) {
    assert.equal(isPublicAddress(address), true, address);
  }
});

for (const url of [
  ...['http://127.0.0.1:1/', 'http://127.1/', 'http://2130706433/', 'http://0x7f.0.0.1/', 'http://0177.0.0.1/'],
  ...['http://[::1]/', 'http://[::ffff:127.0.0.1]/', 'http://[64:ff9b::7f00:1]/', 'http://0/'],
]) {
  test(`however it is written, ${url} is not fetched`, async () => {
    const options = { allowedHosts: [], lookup: () => Promise.reject(new Error('It was looked up.')) };
    assert.match(await reasonOf(fetcherFor(options).fetch(url, 'image', NEVER)), /public address/);
  });
}

test('one bad address among good ones is enough', async () => {
  const addresses = [
    { address: '8.8.8.8', family: 4 },
    { address: '10.0.0.1', family: 4 },
  ];
  const options = { allowedHosts: [], lookup: () => Promise.resolve(addresses) };
  assert.match(await reasonOf(fetcherFor(options).fetch('http://files.test/', 'image', NEVER)), /public address/);
});

test('the address that was checked is the one that is asked: the name is looked up once', async (t) => {
  const { port, seen } = await serverFor(t, (_request, response) => void response.end(PNG));
  let lookups = 0;
  const lookup = () => {
    lookups += 1;
    return Promise.resolve([{ address: lookups === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }]);
  };
  await fetcherFor({ lookup }).fetch(`http://files.test:${port}/`, 'image', NEVER);
  assert.deepEqual([lookups, seen[0]?.headers.host], [1, `files.test:${port}`]);
});

for (const [url, reason] of [
  ['ftp://files.test/', 'has no http or https URL'],
  ['file:///etc/passwd', 'has no http or https URL'],
  ['gs://bucket/file', 'has no http or https URL'],
  ['words', 'has no http or https URL'],
  ['http://user:word@files.test/', 'has credentials in its URL'],
] as const) {
  test(`${url} ${reason}`, async () => {
    assert.equal(await reasonOf(fetcherFor().fetch(url, 'image', NEVER)), reason);
  });
}

test('redirects are followed three times, each checked anew', async (t) => {
  const { port } = await serverFor(t, (request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) return void response.end(PNG);
    response.writeHead(302, { location: `/${left - 1}` }).end('elsewhere');
  });
  const fetcher = fetcherFor();
  assert.equal((await fetcher.fetch(`http://127.0.0.1:${port}/3`, 'image', NEVER)).mediaType, 'image/png');
  assert.equal(await reasonOf(fetcher.fetch(`http://127.0.0.1:${port}/4`, 'image', NEVER)), 'is redirected too often');
});

for (const location of [
  'http://169.254.169.254/latest/',
  'http://[::1]/',
  'file:///etc/passwd',
  'http://a:b@files.test/',
]) {
  test(`a redirect to ${location} is not followed`, async (t) => {
    const { port } = await serverFor(t, (_request, response) => void response.writeHead(307, { location }).end());
    const reason = await reasonOf(fetcherFor().fetch(`http://127.0.0.1:${port}/`, 'image', NEVER));
    assert.match(reason, /public address|no http or https|credentials/);
  });
}

test('what an address answers is not told: errors, refusals and names that do not exist read alike', async (t) => {
  const { port } = await serverFor(t, (_request, response) => void response.writeHead(500).end('secret'));
  const closed = await serverFor(t, () => undefined);
  const lookup = () => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));
  const reasons = [
    await reasonOf(fetcherFor().fetch(`http://127.0.0.1:${port}/`, 'image', NEVER)),
    await reasonOf(fetcherFor().fetch(`https://127.0.0.1:${closed.port}/`, 'image', NEVER)),
    await reasonOf(fetcherFor({ lookup }).fetch('http://files.test/', 'image', NEVER)),
  ];
  assert.deepEqual(new Set(reasons), new Set(['could not be fetched from its URL']));
});

test('a file that is too long is refused by its announcement, or as soon as it has become too long', async (t) => {
  const limits = { ...MEDIA_LIMITS, maxBytes: 1024 * 1024 };
  let sent = 0;
  const { port } = await serverFor(t, (request, response) => {
    if (request.url === '/announced') response.setHeader('content-length', 2 * 1024 * 1024);
    const send = () => {
      while (response.writable && !response.destroyed) {
        sent += 65_536;
        if (!response.write(Buffer.alloc(65_536))) return void response.once('drain', send);
      }
    };
    send();
  });
  for (const path of ['/announced', '/endless']) {
    const promise = fetcherFor({ limits }).fetch(`http://127.0.0.1:${port}${path}`, 'file', NEVER);
    assert.equal(await reasonOf(promise), 'is longer than 1 MiB');
  }
  assert.ok(sent < 32 * 1024 * 1024, String(sent));
});

test('a server that says nothing is waited for until the limit and no longer', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const { port } = await serverFor(t, () => arrived.resolve());
  const clock = new ManualClock();
  const fetcher = new HttpMediaFetcher(clock, { allowedHosts: ['127.0.0.1'] });
  const reason = reasonOf(fetcher.fetch(`http://127.0.0.1:${port}/`, 'image', NEVER));
  await arrived.promise;
  clock.advance(MEDIA_LIMITS.timeoutMs);
  assert.equal(await reason, 'took too long to be fetched');
  assert.equal(clock.pendingTimers, 0);
});

test('whoever does not need it any more ends the fetch, also while the name is looked up', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const { port } = await serverFor(t, (request) => {
    arrived.resolve();
    request.socket.on('close', () => closed.resolve());
  });
  const leaving = new AbortController();
  const promise = fetcherFor().fetch(`http://127.0.0.1:${port}/`, 'image', leaving.signal);
  await arrived.promise;
  leaving.abort();
  await reasonOf(promise);
  await closed.promise;
  const slow = fetcherFor({ lookup: () => new Promise(() => undefined) });
  await reasonOf(slow.fetch('http://files.test/', 'image', AbortSignal.abort()));
});
