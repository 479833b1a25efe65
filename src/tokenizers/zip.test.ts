/** Archives that engines send, the good and the hostile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zip } from '../../test/support/zip.ts';
import type { Member } from '../../test/support/zip.ts';
import { SourceError } from './model-files.ts';
import { unzip } from './zip.ts';

const JSON_FILE: Member = { name: 'tokenizer.json', bytes: Buffer.from('{"a": 1}'.repeat(100)) };

function refusal(archive: Buffer, reason: RegExp): Promise<void> {
  return assert.rejects(unzip(archive), (thrown) => thrown instanceof SourceError && reason.test(thrown.message));
}

test('members come out as they went in, packed or stored, and strangers are passed over', async () => {
  const config: Member = { name: 'config.json', bytes: Buffer.from('{}'), isStored: true };
  const files = await unzip(zip([JSON_FILE, config, { name: 'notes.txt', bytes: Buffer.from('x') }]));
  assert.deepEqual([...files.keys()], ['tokenizer.json', 'config.json']);
  assert.deepEqual(files.get('tokenizer.json'), JSON_FILE.bytes);
  assert.deepEqual(files.get('config.json'), config.bytes);
});

test('an empty member and an empty archive are no fault', async () => {
  assert.equal((await unzip(zip([{ name: 'merges.txt', bytes: Buffer.alloc(0) }]))).get('merges.txt')?.length, 0);
  assert.equal((await unzip(zip([]))).size, 0);
});

for (const name of [
  '../tokenizer.json',
  '/etc/tokenizer.json',
  'a/../../tokenizer.json',
  '..\\tokenizer.json',
  'C:/tokenizer.json',
  './tokenizer.json',
  'a//b',
  'a\0b',
  '',
]) {
  test(`a member named ${JSON.stringify(name)} refuses the archive`, () =>
    refusal(zip([{ ...JSON_FILE, name }]), /leads out of it/));
}

test('two members of one name are refused', () => refusal(zip([JSON_FILE, JSON_FILE]), /twice/));

test('51 members are refused, 50 are not', async () => {
  const many = (count: number) =>
    zip(Array.from({ length: count }, (_, i) => ({ name: `t${i}.jinja`, bytes: Buffer.from('x') })));
  assert.equal((await unzip(many(50))).size, 50);
  await refusal(many(51), /more than 50/);
});

test('a member that unpacks to more than it says ends there', async () => {
  const bomb: Member = { name: 'tokenizer.json', bytes: Buffer.alloc(50 * 1024 * 1024), spoil: { bytes: 10 } };
  await refusal(zip([bomb]), /has not the length/);
});

test('a member that says more than its file may have is refused before it is unpacked', () =>
  refusal(zip([{ ...JSON_FILE, name: 'config.json', spoil: { bytes: 5 * 1024 * 1024 } }]), /larger than/));

test('members that say more than 500 MiB together are refused, strangers counted', () => {
  const big = (name: string): Member => ({ name, bytes: Buffer.from('x'), spoil: { bytes: 300 * 1024 * 1024 } });
  return refusal(zip([big('a.bin'), big('b.bin')]), /unpacks to more than/);
});

test('a member shorter than it says, or of another checksum, is damaged', async () => {
  await refusal(zip([{ ...JSON_FILE, spoil: { bytes: 900 } }]), /has not the length/);
  await refusal(zip([{ ...JSON_FILE, spoil: { crc: 1 } }]), /checksum/);
  await refusal(zip([{ ...JSON_FILE, isStored: true, spoil: { crc: 1 } }]), /checksum/);
});

test('encrypted members, unknown packings and ZIP64 are refused by name', async () => {
  await refusal(zip([{ ...JSON_FILE, spoil: { flags: 1 } }]), /encrypted/);
  await refusal(zip([{ ...JSON_FILE, spoil: { method: 14 } }]), /unknown way/);
  await refusal(zip([{ ...JSON_FILE, spoil: { bytes: 0xffffffff } }]), /ZIP64/);
});

test('whatever is cut or flipped, an archive is read or refused, and never more than that', async () => {
  const good = zip([JSON_FILE, { name: 'config.json', bytes: Buffer.from('{}'), isStored: true }]);
  for (let at = 0; at < good.length; at += 1) {
    await assert.rejects(unzip(good.subarray(0, at)), SourceError);
    const flipped = Buffer.from(good);
    flipped[at] = (flipped[at] ?? 0) ^ 0xff;
    await unzip(flipped).catch((thrown: unknown) => assert.ok(thrown instanceof SourceError, String(thrown)));
  }
});
