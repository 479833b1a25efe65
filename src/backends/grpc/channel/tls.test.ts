/** `grpcs://`: needs the program `openssl` to make a certificate; without it these tests are left out. */
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createServer } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import { ask, grpcPeer } from '../../../../test/support/grpc-peers.ts';
import { systemClock } from '../../../base/clock.ts';
import { GrpcChannels } from '../channels.ts';
import { RpcError } from '../rpc.ts';
import type { TlsSettings } from './settings.ts';

interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
}

const plain = { timeoutMs: undefined, metadata: [] };

/** Self-signed, for `localhost` and 127.0.0.1; undefined when there is no openssl. */
function makeCertificate(): Certificate | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'smg-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const { status } = spawnSync('openssl', [
    ...request,
    '-subj',
    '/CN=localhost',
    '-addext',
    names,
    '-keyout',
    key,
    '-out',
    cert,
  ]);
  const made = status === 0 ? { key: readFileSync(key), cert: readFileSync(cert) } : undefined;
  rmSync(folder, { recursive: true });
  return made;
}

const certificate = makeCertificate();
const skip = certificate === undefined ? 'openssl is not here to make a certificate' : false;

async function securePeer(t: TestContext) {
  const { key, cert } = certificate ?? assert.fail();
  const peer = await grpcPeer({}, {}, ServerCredentials.createSsl(null, [{ private_key: key, cert_chain: cert }]));
  t.after(peer.close);
  return peer;
}

function channelTo(t: TestContext, url: string, tls: TlsSettings) {
  const pool = new GrpcChannels(systemClock, { tls });
  t.after(() => pool.close());
  return pool.channelTo(url);
}

async function failureOf(answer: Promise<unknown>) {
  const error = await answer.catch((thrown: unknown) => thrown);
  assert.ok(error instanceof RpcError);
  return error.failure;
}

test('calls a worker over TLS by name and by address when its certificate is trusted', { skip }, async (t) => {
  const { port } = await securePeer(t);
  const ca = certificate?.cert ?? assert.fail();
  for (const host of ['localhost', '127.0.0.1']) {
    const channel = channelTo(t, `grpcs://${host}:${port}`, { ca });
    assert.equal((await channel.unary(ask, Buffer.from('safe'), plain)).toString(), 'safe', host);
  }
});

test('refuses a certificate that is not trusted, and one for another name', { skip }, async (t) => {
  const { port } = await securePeer(t);
  const untrusted = await failureOf(channelTo(t, `grpcs://localhost:${port}`, {}).unary(ask, Buffer.alloc(0), plain));
  assert.deepEqual([untrusted.status, untrusted.isUnprocessed], [14, true]);
  assert.match(untrusted.message, /SELF_SIGNED/);
  const ca = certificate?.cert ?? assert.fail();
  const other = channelTo(t, `grpcs://localhost:${port}`, { ca, serverName: 'worker.example' });
  const misnamed = await failureOf(other.unary(ask, Buffer.alloc(0), plain));
  assert.deepEqual([misnamed.status, misnamed.isUnprocessed], [14, true]);
  assert.match(misnamed.message, /ALTNAME/);
});

test('refuses a TLS peer that does not agree on HTTP/2', { skip }, async (t) => {
  const server = createServer({ ...certificate }, (socket) => socket.on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const ca = certificate?.cert ?? assert.fail();
  const failure = await failureOf(channelTo(t, `grpcs://127.0.0.1:${port}`, { ca }).unary(ask, Buffer.alloc(0), plain));
  assert.deepEqual([failure.status, failure.isUnprocessed], [14, true]);
  assert.match(failure.message, /HTTP\/2/);
});

test('fails when the two sides disagree whether to use TLS', { skip }, async (t) => {
  const { port } = await securePeer(t);
  const bare = await failureOf(channelTo(t, `grpc://127.0.0.1:${port}`, {}).unary(ask, Buffer.alloc(0), plain));
  assert.deepEqual([bare.status, bare.isUnprocessed], [14, true]);
  const clear = await grpcPeer({});
  t.after(clear.close);
  const secure = channelTo(t, `grpcs://127.0.0.1:${clear.port}`, {});
  const failure = await failureOf(secure.unary(ask, Buffer.alloc(0), plain));
  assert.deepEqual([failure.status, failure.isUnprocessed], [14, true]);
});
