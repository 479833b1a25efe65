import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTime } from './strftime.ts';

test('writes dates as Python does, in UTC and in English', () => {
  const at = (year: number, month: number, day: number): number => Date.UTC(year, month - 1, day, 15, 4, 5);
  assert.equal(formatTime('%A %d %B %Y, %H:%M:%S', at(2026, 11, 3)), 'Tuesday 03 November 2026, 15:04:05');
  assert.equal(formatTime('%-d %-m %-I %e %j %y', at(2024, 3, 9)), '9 3 3  9 069 24');
  assert.equal(formatTime('%G-W%V-%u', at(2021, 1, 3)), '2020-W53-7');
  assert.equal(formatTime('%U %W %w', at(2023, 1, 1)), '01 00 0');
  assert.equal(formatTime('100%% %q', at(2023, 1, 1)), '100% %q');
});
