/** A `grpcs://` engine. The program `openssl` makes its certificate; without it this is left out. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:http2';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startGrpcEngine } from './engine.ts';

function makeCertificate(): { readonly key: string; readonly cert: string } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'sim-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const words = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost';
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const { status } = spawnSync('openssl', ['req', ...words.split(' '), ...names, '-keyout', key, '-out', cert]);
  try {
    return status === 0 ? { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') } : undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('speaks TLS when it has a certificate', async (t) => {
  const tls = makeCertificate();
  if (tls === undefined) {
    t.skip('there is no openssl');
    return;
  }
  const engine = await startGrpcEngine({ kind: 'vllm', speed: Infinity, tls });
  t.after(() => engine.close());
  assert.match(engine.url, /^grpcs:/);
  const session = connect(engine.url.replace('grpcs:', 'https:'), { ca: tls.cert, servername: 'localhost' });
  t.after(() => session.destroy());
  const request = session.request({
    ':method': 'POST',
    ':path': '/vllm.grpc.engine.VllmEngine/HealthCheck',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  request.resume().end(Buffer.alloc(5));
  const [trailers] = await once(request, 'trailers');
  assert.equal(Object(trailers)['grpc-status'], '0');
});
