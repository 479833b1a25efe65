import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { grpcHead, HeardSink, list } from '../../../../test/support/grpc-peers.ts';
import { ManualClock } from '../../../base/clock.ts';
import { RpcCall } from './call.ts';
import { framed } from './framer.ts';

function callOf(sink: HeardSink) {
  const clock = new ManualClock();
  const request = { method: list, bytes: framed(Buffer.alloc(0)), options: { timeoutMs: 9, metadata: [] }, sink };
  return { clock, call: new RpcCall<Buffer>(request, 1_000, { clock, room: { leave() {} } }) };
}

test('keeps data that is shown before the headers until they are here', () => {
  const sink = new HeardSink();
  const { call, clock } = callOf(sink);
  const bytes = Buffer.concat([framed(Buffer.from('a')), framed(Buffer.from('b'))]);
  call.data(bytes.subarray(0, 8));
  call.data(bytes.subarray(8));
  assert.deepEqual(sink.heard, []);
  call.response(grpcHead, false);
  assert.deepEqual(sink.heard, ['begun', 'message', 'message']);
  call.trailers({ 'grpc-status': '0' });
  call.ended();
  assert.deepEqual(sink.heard, ['begun', 'message', 'message', 'end']);
  assert.equal(clock.pendingTimers, 0);
});

test('hears nothing that comes after its end', () => {
  const sink = new HeardSink();
  const { call, clock } = callOf(sink);
  call.response({ ...grpcHead, 'grpc-status': '5' }, true);
  assert.deepEqual(sink.heard, ['failed']);
  call.response(grpcHead, false);
  call.data(framed(Buffer.from('a')));
  call.trailers({ 'grpc-status': '0' });
  call.ended();
  call.fail({ status: 2, message: '', isBeforeHeaders: true, isUnprocessed: false });
  clock.advance(10);
  assert.deepEqual(sink.heard, ['failed']);
});
