import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readQueues } from './kernel-queues.ts';

const REST = '00:00000000 00000000     0        0 1 1 0000000000000000 20 4 30 10 -1';
const TABLE = [
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
  `   0: 0100007F:2328 0100007F:C001 01 00000400:00000001 ${REST}`,
  `   1: 0100007F:C001 0100007F:2328 01 00000000:00010000 ${REST}`,
  `   2: 0100007F:1F90 0100007F:C002 01 00000010:00000000 ${REST}`,
  `   3: 0100007F:C002 0100007F:1F90 01 00000000:00000020 ${REST}`,
  `   4: 0100007F:C003 0100007F:2328 08 00000000:00000999 ${REST}`,
  `   5: 0100007F:C004 0100007F:0050 01 00000000:00000999 ${REST}`,
  '',
].join('\n');

test('sums both ends of each side, and counts the connections that the proxy does not read', () => {
  assert.deepEqual(readQueues(TABLE, 9000, 8080), {
    workerBytes: 0x400 + 1 + 0x10000,
    unreadByProxy: 1,
    clientBytes: 0x10 + 0x20,
  });
});
