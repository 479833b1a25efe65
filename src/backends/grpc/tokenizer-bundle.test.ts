/** Tokenizers that workers give: whole, or not at all. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { settled } from '../../../test/support/prober.ts';
import { ScriptedChannel } from '../../../test/support/scripted-channel.ts';
import { GetTokenizerChunkSchema } from './gen/common_pb.ts';
import { GrpcTokenizerBundles } from './tokenizer-bundle.ts';

const ZIP = Buffer.from('PK\u0003\u0004 and so on');
const SHA = createHash('sha256').update(ZIP).digest('hex');

const piece = (data: Uint8Array, sha256 = '') =>
  toBinary(GetTokenizerChunkSchema, create(GetTokenizerChunkSchema, { data, sha256 }));

function fetching(limits?: { readonly maxBytes: number; readonly timeoutMs: number }) {
  const channel = new ScriptedChannel();
  const leaving = new AbortController();
  const bundles = new GrpcTokenizerBundles({ channelTo: () => channel }, limits);
  const address = { id: 'w1', url: 'grpc://w:1', apiKey: 'k', provider: undefined };
  const bundle = bundles.fetch({ address, engine: 'mlx' }, leaving.signal);
  bundle.catch(() => undefined);
  const [stream] = channel.streams;
  assert.ok(stream);
  return { bundle, stream, leaving };
}

test('an archive in pieces is whole when its checksum says so, in either case of letters', async () => {
  for (const sha of [SHA, SHA.toUpperCase()]) {
    const { bundle, stream } = fetching();
    assert.equal(stream.path, '/mlx.grpc.engine.MlxEngine/GetTokenizer');
    assert.equal(stream.options.timeoutMs, 120_000);
    stream.send(piece(ZIP.subarray(0, 4)));
    stream.send(piece(ZIP.subarray(4), sha));
    stream.end();
    assert.deepEqual(await bundle, ZIP);
  }
});

test('what was received is kept, not a view of the connection’s memory', async () => {
  const { bundle, stream } = fetching();
  const bytes = Buffer.from(piece(ZIP, SHA));
  stream.send(bytes);
  bytes.fill(0);
  stream.end();
  assert.deepEqual(await bundle, ZIP);
});

const bad: readonly (readonly [string, readonly Uint8Array[], RegExp])[] = [
  ['without a checksum', [piece(ZIP)], /has no checksum/],
  ['with another checksum', [piece(ZIP, 'ab'.repeat(32))], /is not what its checksum says/],
  ['that is empty', [], /is empty/],
  ['that goes on', [piece(ZIP, SHA), piece(ZIP)], /goes on behind its checksum/],
];

for (const [what, pieces, expected] of bad) {
  test(`an archive ${what} is refused`, async () => {
    const { bundle, stream } = fetching();
    for (const each of pieces) stream.send(each);
    stream.end();
    await assert.rejects(bundle, { code: 'tokenizer_unavailable', message: expected });
  });
}

test('an archive that is too large is not read to its end', async () => {
  const { bundle, stream } = fetching({ maxBytes: 20, timeoutMs: 1_000 });
  stream.send(piece(Buffer.alloc(15)));
  stream.send(piece(Buffer.alloc(15)));
  await assert.rejects(bundle, /larger than 20 bytes/);
  assert.ok(stream.state.isCancelled);
});

test('a worker that has no archive, or breaks off, says so', async () => {
  const { bundle, stream } = fetching();
  stream.fail({ status: 9, message: 'tokenizer is a hub id' });
  await assert.rejects(bundle, { code: 'tokenizer_unavailable', message: /tokenizer is a hub id/ });
});

test('nobody waits any more: the stream is cancelled', async () => {
  const { bundle, stream, leaving } = fetching();
  leaving.abort(new Error('stopping'));
  await assert.rejects(bundle, /stopping/);
  await settled();
  assert.ok(stream.state.isCancelled);
});
