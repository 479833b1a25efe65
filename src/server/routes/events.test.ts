/** The stream of fleet events on a clock of the test's own; the journeys of /events are over real sockets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotOf } from '../../../test/support/fleet.ts';
import { ManualClock } from '../../base/clock.ts';
import type { ReplyWriter } from '../../domain/ports.ts';
import type { ServerDeps } from '../deps.ts';
import { streamEvents } from './events.ts';

function open() {
  const clock = new ManualClock();
  const written: string[] = [];
  const seen = { ended: 0, left: 0 };
  const writer = {
    onDrain: () => undefined,
    write: (bytes: Buffer) => written.push(bytes.toString()) > 0,
    end: () => (seen.ended += 1),
  } as Partial<ReplyWriter> as ReplyWriter;
  const deps = {
    clock,
    directory: { snapshot: () => snapshotOf([]) },
    fleet: { onEvent: () => () => (seen.left += 1) },
  } as unknown as ServerDeps;
  const gone = new AbortController();
  const over = streamEvents(deps).open(writer, gone.signal);
  return { clock, written, seen, gone, over };
}

test('a stream on which nothing happens shows every 15 seconds that it lives, and events are not numbered by it', () => {
  const { clock, written } = open();
  assert.match(written[0] ?? '', /^id: 1\nevent: snapshot\n/);
  clock.advance(14_999);
  assert.equal(written.length, 1);
  clock.advance(1);
  assert.deepEqual(written.slice(1), [': still here\n\n']);
  clock.advance(15_000);
  assert.equal(written.length, 3);
});

test('a stream that is over leaves no timer and no listener behind', async () => {
  const { clock, seen, gone, over } = open();
  gone.abort();
  await over;
  assert.deepEqual([clock.pendingTimers, seen.left, seen.ended], [0, 1, 1]);
});
