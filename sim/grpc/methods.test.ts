import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { test } from 'node:test';
import { listOf, recordOf } from '../json.ts';
import { GRPC_ENGINE_KINDS } from './options.ts';
import { STATUS } from './status.ts';
import { generateRequest, TestCaller, type CallEnd } from './test-caller.ts';
import { chat, Rig } from './test-rig.ts';
import { zipOfZeros } from './zip.ts';

const END_RECORD = Buffer.from([0x50, 0x4b, 5, 6]);

/** Names and contents of a ZIP, read by its central directory. */
function unzip(archive: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const end = archive.lastIndexOf(END_RECORD);
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = archive.readUInt16LE(at + 28);
    const name = archive.subarray(at + 46, at + 46 + nameLength).toString();
    const local = archive.readUInt32LE(at + 42);
    const from = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    files.set(name, inflateRawSync(archive.subarray(from, from + archive.readUInt32LE(at + 20))));
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return files;
}

function bundleOf({ messages }: CallEnd): { readonly archive: Buffer; readonly shas: readonly unknown[] } {
  const parts = messages.map((message) => message['data']).filter((data) => Buffer.isBuffer(data));
  return { archive: Buffer.concat(parts), shas: messages.map((message) => message['sha256']) };
}

test('sends its tokenizer as a ZIP whose digest comes with the last chunk', async () => {
  for (const kind of GRPC_ENGINE_KINDS) {
    await using rig = await Rig.start({ kind });
    const end = await rig.caller.call('GetTokenizer');
    const { archive, shas } = bundleOf(end);
    assert.equal(shas.at(-1), createHash('sha256').update(archive).digest('hex'), kind);
    assert.ok(shas.slice(0, -1).every((sha) => sha === ''));
    const files = unzip(archive);
    assert.equal(files.has('config.json'), kind !== 'mlx');
    assert.ok(files.has('chat_template.jinja'));
    assert.ok(!files.has('train.py'));
    const original = await readFile(join(rig.engine.tokenizer.path, 'tokenizer.json'));
    assert.deepEqual(files.get('tokenizer.json'), original);
  }
});

test('can send a tokenizer that a careful receiver refuses, or none', async () => {
  const send = async (bundle: 'none' | 'wrong_sha' | 'missing_sha' | 'traversal' | 'many' | 'truncated' | 'empty') => {
    await using rig = await Rig.start({ kind: 'sglang', bundle });
    return await rig.caller.call('GetTokenizer');
  };
  assert.equal((await send('none')).code, STATUS.failedPrecondition);
  const wrong = bundleOf(await send('wrong_sha'));
  assert.notEqual(wrong.shas.at(-1), createHash('sha256').update(wrong.archive).digest('hex'));
  assert.equal(bundleOf(await send('missing_sha')).shas.at(-1), '');
  assert.ok(unzip(bundleOf(await send('traversal')).archive).has('../escaped.json'));
  assert.ok(unzip(bundleOf(await send('many')).archive).size > 50);
  const half = bundleOf(await send('truncated')).archive;
  assert.equal(half.lastIndexOf(END_RECORD), -1);
  assert.equal(unzip(bundleOf(await send('empty')).archive).size, 0);
});

test('packs zeros so that they are far bigger unpacked', () => {
  const archive = zipOfZeros('tokenizer.json', 3);
  assert.ok(archive.length < 10_000, String(archive.length));
  assert.deepEqual(unzip(archive).get('tokenizer.json'), Buffer.alloc(3 * 1024 * 1024));
});

test('SGLang and vLLM embed, the others cannot', async () => {
  for (const kind of GRPC_ENGINE_KINDS) {
    await using rig = await Rig.start({ kind, embeddingDimensions: 8 });
    if (kind !== 'sglang' && kind !== 'vllm') {
      if (kind === 'trtllm') assert.equal((await rig.caller.call('Embed')).code, STATUS.unimplemented);
      continue;
    }
    const request = { request_id: 'e', tokenized: { input_ids: [1, 2, 3] } };
    const one = await rig.caller.unary('Embed', request);
    const values = listOf(one['embedding']).map(Number);
    assert.deepEqual([values.length, one['embedding_dim'], one['prompt_tokens']], [8, 8, 3]);
    assert.ok(Math.abs(Math.hypot(...values) - 1) < 1e-6);
    assert.deepEqual((await rig.caller.unary('Embed', request))['embedding'], one['embedding']);
    assert.equal((await rig.caller.call('Embed', { tokenized: {} })).code, STATUS.invalidArgument);
  }
});

test('SGLang and TokenSpeed flush their cache and profile', async () => {
  for (const kind of ['sglang', 'tokenspeed'] as const) {
    await using rig = await Rig.start({ kind });
    const text = 'a text of some length, '.repeat(20);
    await rig.generate(text, { maxTokens: 1 });
    assert.equal((await rig.caller.unary('FlushCache', { timeout_s: 1 }))['success'], true);
    const [complete] = await rig.generate(text, { maxTokens: 1 });
    assert.equal(complete?.cachedTokens, 0);
    assert.equal((await rig.caller.unary('StopProfile'))['success'], false);
    assert.equal((await rig.caller.unary('StartProfile'))['success'], true);
    assert.equal((await rig.caller.unary('StopProfile'))['success'], true);
  }
});

test('a busy engine does not flush its cache', async () => {
  await using rig = await Rig.start({ kind: 'sglang', speed: 1 });
  const call = await rig.open('#long 5000', { stream: true });
  await call.until(1);
  assert.equal((await rig.caller.unary('FlushCache', {}))['success'], false);
  call.cancel();
});

test('SGLang loads adapters, whose prefixes are their own', async () => {
  await using rig = await Rig.start({ kind: 'sglang' });
  const loaded = await rig.caller.unary('LoadLoRAAdapter', { lora_name: 'a', lora_path: '/x' });
  assert.deepEqual(loaded['loaded_lora_ids'], ['a']);
  assert.equal(listOf((await rig.caller.unary('ListLoadedLoRAAdapters'))['loaded_adapters']).length, 1);
  assert.equal((await rig.caller.unary('UnloadLoRAAdapter', { lora_name: 'b' }))['success'], false);
});

test('TensorRT-LLM says its health as a word', async () => {
  await using rig = await Rig.start({ kind: 'trtllm' });
  assert.deepEqual(await rig.caller.unary('HealthCheck'), { status: 'OK' });
  rig.engine.setHealthy(false);
  assert.notDeepEqual(await rig.caller.unary('HealthCheck'), { status: 'OK' });
});

test('tells prompt log probabilities with the first chunk and the Complete', async () => {
  for (const kind of ['sglang', 'vllm'] as const) {
    await using rig = await Rig.start({ kind });
    const prompt = await rig.ids(chat('#say one two three'));
    const messages = await rig.generate('#say one two three', { stream: true, logprobs: 1, promptLogprobs: 1 });
    const lists = messages.map(({ message }) => listOf(recordOf(message['input_logprobs'])['token_logprobs']));
    assert.deepEqual(
      lists.map((list) => list.length > 0),
      lists.map((_list, index) => index === 0 || index === lists.length - 1),
    );
    assert.equal(lists[0]?.length, prompt.length);
    assert.equal(recordOf(lists[0]?.[0])['value'], undefined);
    assert.equal(typeof recordOf(lists[0]?.[1])['value'], 'number');
    assert.deepEqual(recordOf(messages[0]?.message['input_logprobs'])['token_ids'], prompt);
  }
});

test('remembers what it was asked, as it was decoded', async () => {
  await using rig = await Rig.start({ kind: 'vllm', dataParallelSize: 2, controlPort: 0 });
  const ids = await rig.ids(chat('hi'));
  const request = { ...generateRequest('vllm', { ids, id: 'r1', maxTokens: 1 }), data_parallel_rank: 1 };
  await rig.caller.call('Generate', request, { traceparent: '00-1-2-01' });
  const last = rig.engine.lastRequest();
  assert.equal(last?.path, '/vllm.grpc.engine.VllmEngine/Generate');
  assert.equal(last.message['request_id'], 'r1');
  assert.deepEqual(recordOf(last.message['tokenized'])['input_ids'], ids);
  assert.ok(last.metadata.some(([name, value]) => name === 'traceparent' && value === '00-1-2-01'));
  assert.deepEqual(rig.engine.stats().requestsByRank, { 1: 1 });
  const shown = recordOf(await (await fetch(`${rig.engine.controlUrl}/_sim/last_request`)).json());
  const body: unknown = JSON.parse(Buffer.from(String(shown['bodyBase64']), 'base64').toString());
  assert.equal(recordOf(body)['request_id'], 'r1');
  const wrong = { ...generateRequest('vllm', { ids }), data_parallel_rank: 2 };
  assert.equal((await rig.caller.call('Generate', wrong)).code, STATUS.invalidArgument);
});

test('wants its key, except for health', async () => {
  await using rig = await Rig.start({ kind: 'vllm', apiKey: 'secret' });
  assert.equal((await rig.caller.call('GetModelInfo')).code, STATUS.unauthenticated);
  assert.equal((await rig.caller.call('GetModelInfo', {}, { authorization: 'Bearer secret' })).code, 0);
  assert.equal((await rig.caller.call('HealthCheck')).code, 0);
  assert.equal(rig.engine.stats().unauthorized, 1);
});

test('refuses a request id that is under way', async () => {
  await using rig = await Rig.start({ kind: 'sglang', speed: 1 });
  const first = await rig.open('#long 5000', { stream: true, id: 'same' });
  await first.until(1);
  assert.equal((await (await rig.open('hi', { id: 'same' })).ended).code, STATUS.invalidArgument);
  first.cancel();
  await rig.engine.waitFor((stats) => stats.inFlight === 0);
  const again = await rig.open('hi', { id: 'same', maxTokens: 1 });
  assert.equal((await again.ended).code, 0);
});

test('a request aborted while it waits ends with a Complete, too', async () => {
  await using rig = await Rig.start({ kind: 'sglang', speed: 1, maxRunning: 1 });
  const first = await rig.open('#long 5000', { stream: true });
  await first.until(1);
  const waiting = await rig.open('#long 50', { stream: true, id: 'waits', n: 2 });
  await rig.engine.waitFor((stats) => stats.waiting === 2);
  await rig.caller.unary('Abort', { request_id: 'waits' });
  const { messages } = await waiting.ended;
  assert.equal(messages.length, 2, 'one Complete for each answer');
  assert.equal(rig.engine.stats().waiting, 0);
  first.cancel();
});

test('tells what became of the requests that it was told to abort', async () => {
  await using rig = await Rig.start({ kind: 'vllm', speed: 1 });
  const left = await rig.open('#long 5000', { stream: true, id: 'left' });
  await left.until(1);
  left.cancel();
  await rig.engine.waitFor((stats) => stats.aborted === 1);
  await rig.generate('hi', { id: 'done', maxTokens: 1 });
  await rig.caller.unary('Abort', { request_ids: ['left', 'done', 'nobody'] });
  assert.deepEqual(
    rig.engine.aborts().map(({ requestId, state }) => [requestId, state]),
    [
      ['left', 'aborted'],
      ['done', 'completed'],
      ['nobody', 'unknown'],
    ],
  );
});

test('an engine may go on for a caller that has left, until it is told to abort', async () => {
  await using rig = await Rig.start({ kind: 'sglang', speed: 1, ignoresCancel: true });
  const left = await rig.open('#long 5000', { stream: true, id: 'left' });
  await left.until(1);
  left.cancel();
  await rig.engine.waitFor((stats) => stats.aborted === 1);
  assert.equal(rig.engine.stats().running, 1);
  await rig.caller.unary('Abort', { request_id: 'left' });
  assert.equal(rig.engine.stats().running, 0);
  assert.equal(rig.engine.aborts()[0]?.state, 'running');
  assert.equal((await rig.caller.unary('GetServerInfo'))['active_requests'], 0);
});

test('reports what runs and waits, of one rank when asked for one', async () => {
  await using rig = await Rig.start({ kind: 'sglang', speed: 1, maxRunning: 1, dataParallelSize: 2 });
  const calls = [await rig.open('#long 5000', { stream: true }), await rig.open('#long 5000', { stream: true })];
  await calls[0]?.until(1);
  await rig.engine.waitFor((stats) => stats.running === 1 && stats.waiting === 1);
  const all = await rig.caller.unary('GetLoads', { include: ['core', 'queues', 'memory'] });
  assert.equal(listOf(all['loads']).length, 2);
  const total = recordOf(all['aggregate']);
  assert.deepEqual([total['total_running_reqs'], total['total_waiting_reqs'], total['total_reqs']], [1, 1, 2]);
  const first = recordOf(listOf(all['loads'])[0]);
  assert.equal(first['num_running_reqs'], 2, 'of several ranks what waits counts as running');
  assert.ok(Number(first['num_used_tokens']) > 5000);
  assert.ok(Number(first['num_waiting_uncached_tokens']) > 0);
  assert.equal(recordOf(first['memory'])['token_capacity'], 524_288);
  const one = await rig.caller.unary('GetLoads', { dp_rank: 1 });
  assert.deepEqual(
    listOf(one['loads']).map((load) => recordOf(load)['dp_rank']),
    [1],
  );
  for (const call of calls) call.cancel();
});

test('allows as many calls on a connection as told', async () => {
  await using rig = await Rig.start({ kind: 'vllm', maxStreams: 1 });
  const session = connect(rig.engine.url.replace('grpc:', 'http:'));
  const [settings] = await once(session, 'remoteSettings');
  assert.equal(recordOf(settings)['maxConcurrentStreams'], 1);
  session.destroy();
});

test('gives up at the deadline of its caller and frees the slot', async () => {
  await using rig = await Rig.start({ kind: 'vllm', speed: 1 });
  const call = await rig.open('#long 5000', { stream: true, deadlineMs: 100 });
  assert.equal((await call.ended).code, STATUS.deadlineExceeded);
  await rig.engine.waitFor((stats) => stats.running === 0 && stats.inFlight === 0);
  assert.equal(rig.engine.stats().sequencesAborted, 1);
});

test('takes prompts of millions of bytes', async () => {
  await using rig = await Rig.start({ kind: 'vllm', maxModelTokens: 4_000_000, kvTokens: 8_000_000 });
  const ids = Array.from({ length: 3_000_000 }, (_unused, index) => 300 + (index % 2000));
  const [complete] = (await rig.caller.call('Generate', generateRequest('vllm', { ids, maxTokens: 1 }))).messages;
  assert.equal(recordOf(complete?.['complete'])['prompt_tokens'], 3_000_000);
});

test('serves a thousand streams at once, each to its end', async () => {
  await using rig = await Rig.start({ kind: 'sglang', maxRunning: 2000, kvTokens: 10_000_000, tokensPerChunk: 8 });
  const callers = Array.from({ length: 4 }, () => new TestCaller(rig.engine));
  const ids = await rig.ids(chat('#long 64'));
  const ends = await Promise.all(
    Array.from({ length: 250 }, () => callers)
      .flat()
      .map((caller) => caller.call('Generate', generateRequest('sglang', { ids, stream: true }))),
  );
  assert.ok(ends.every((end) => end.code === 0 && end.messages.length === 10));
  const { peakConcurrency, completed, inFlight } = rig.engine.stats();
  assert.deepEqual([completed, inFlight], [1000, 0]);
  assert.ok(peakConcurrency > 500, String(peakConcurrency));
  for (const caller of callers) caller.close();
});
