/** Forms of values: what is accepted, and how it is kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headerName, host, origin } from './kinds.ts';
import { nearest } from '../base/nearest.ts';
import { readWorkerUrl } from './worker-url.ts';

const urls: readonly (readonly [string, string])[] = [
  ['http://Worker1:8000', 'http://worker1:8000'],
  ['HTTPS://api.openai.com/v1', 'https://api.openai.com'],
  ['https://api.openai.com/v1///', 'https://api.openai.com'],
  ['https://host/openai//v1/', 'https://host/openai'],
  ['http://host:80', 'http://host'],
  ['https://host:443/', 'https://host'],
  ['http://[::1]:8000/', 'http://[::1]:8000'],
  ['worker:8000', 'worker:8000'],
  ['grpc://Worker1:50051/', 'grpc://worker1:50051'],
  ['GRPCS://worker:443', 'grpcs://worker:443'],
  ['grpc://worker:80', 'grpc://worker:80'],
  ['grpc://[::1]:50051', 'grpc://[::1]:50051'],
  ['LOCALHOST:8000/v1', 'localhost:8000'],
  ['  http://a  ', 'http://a'],
];

for (const [given, kept] of urls) {
  test(`the worker URL ${JSON.stringify(given)} is kept as ${kept}, and reading that again changes nothing`, () => {
    assert.deepEqual(readWorkerUrl(given), { ok: true, value: kept });
    assert.deepEqual(readWorkerUrl(kept), { ok: true, value: kept });
  });
}

const badUrls: readonly (readonly [unknown, RegExp])[] = [
  ['', /is not a worker URL/],
  [8000, /is not a worker URL/],
  ['http://', /is not a worker URL/],
  ['http:///path', /is not a worker URL/],
  ['http://a b', /is not a worker URL/],
  ['http://a:99999', /is not a worker URL/],
  ['ftp://a', /has the scheme ftp; accepted are http, https, grpc and grpcs/],
  ['grpc://a', /names no port, and gRPC has no usual one/],
  ['grpc://a:0', /port 0/],
  ['grpc://a:1/v1', /more than scheme, host and port/],
  ['grpcs://a:1?x=1', /more than scheme, host and port/],
  ['grpc://user:pass@a:1', /carries credentials/],
  ['grpc://', /is not a worker URL/],
  ['grpc://:50051', /is not a worker URL/],
  ['grpc://a:99999', /is not a worker URL/],
  ['http://user:pass@a', /carries credentials/],
  ['http://a?x=1', /has a query or a fragment/],
  ['http://a,http://b', /separate worker URLs by spaces/],
];

for (const [given, expected] of badUrls) {
  test(`the worker URL ${JSON.stringify(given)} is refused with the reason`, () => {
    const reading = readWorkerUrl(given);
    assert.ok(!reading.ok);
    assert.match(reading.complaints.join('\n'), expected);
  });
}

test('hosts are names, IPv4 or IPv6 addresses, with or without brackets', () => {
  for (const good of ['localhost', 'gateway-1.example.com', '0.0.0.0', '::', '::1', 'fe80::1', 'my_service']) {
    assert.deepEqual(host.read(good), { ok: true, value: good });
  }
  assert.deepEqual(host.read('[::1]'), { ok: true, value: '::1' });
  for (const bad of ['', '-a', 'a..b', '256.0.0.1', '1.2.3', 'a/b', 'http://a', 3]) {
    assert.ok(!host.read(bad).ok, String(bad));
  }
});

test('origins are kept as browsers send them', () => {
  assert.deepEqual(origin.read('https://App.Example.com/'), { ok: true, value: 'https://app.example.com' });
  assert.deepEqual(origin.read('http://localhost:3000'), { ok: true, value: 'http://localhost:3000' });
  for (const bad of ['app.example.com', 'https://a.example/x', 'null', 'file:///x'])
    assert.ok(!origin.read(bad).ok, bad);
});

test('header names are kept in lower case', () => {
  assert.deepEqual(headerName.read('X-Trace-Id'), { ok: true, value: 'x-trace-id' });
  assert.ok(!headerName.read('x trace').ok);
});

test('a near spelling is found, a far one is not', () => {
  const names = ['--port', '--host', '--policy', '--prometheus-port'];
  assert.equal(nearest('--prot', names), '--port');
  assert.equal(nearest('--polcy', names), '--policy');
  assert.equal(nearest('--prometeus-prot', names), '--prometheus-port');
  assert.equal(nearest('--zork', names), undefined);
  assert.equal(nearest('x'.repeat(10_000), names), undefined);
});
