import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { listOf, recordOf } from '../json.ts';
import { GRPC_ENGINE_KINDS, type GrpcEngineKind } from './options.ts';
import { generateRequest, TestCaller, told, type Wish } from './test-caller.ts';
import { chat, Rig } from './test-rig.ts';

/** Engines that leave a token out that stopped the answer. */
const TRIMS: readonly GrpcEngineKind[] = ['trtllm', 'tokenspeed'];

for (const kind of GRPC_ENGINE_KINDS) {
  describe(kind, () => {
    let rig: Rig;
    before(async () => {
      rig = await Rig.start({ kind });
    });
    after(() => rig.close());

    test('knows only its own service', async () => {
      for (const other of GRPC_ENGINE_KINDS) {
        const caller = new TestCaller(rig.engine, other);
        const { code } = await caller.call('HealthCheck');
        assert.equal(code, other === kind ? 0 : 12, other);
        caller.close();
      }
    });

    test('streams chunks and then one Complete', async () => {
      const messages = await rig.generate('#say Hello there', { stream: true });
      const chunks = messages.filter((one) => one.kind === 'chunk');
      const completes = messages.filter((one) => one.kind === 'complete');
      assert.equal(completes.length, 1);
      assert.equal(messages.at(-1)?.kind, 'complete');
      const end = rig.engine.tokenizer.endTokenIds[0];
      const ids = chunks.flatMap((one) => one.ids);
      const text = await rig.text(ids);
      assert.equal(text, TRIMS.includes(kind) ? 'Hello there' : 'Hello there<|im_end|>');
      const generated = ids.length + (TRIMS.includes(kind) ? 1 : 0);
      assert.equal(chunks.length, generated, 'one chunk for each engine step');
      const last = chunks.at(-1)?.ids;
      const repeated = { sglang: last, vllm: last, tokenspeed: last, mlx: [], trtllm: ids };
      assert.deepEqual(completes[0]?.ids, repeated[kind]);
      assert.equal(completes[0]?.reason, 'stop');
      assert.equal(completes[0]?.matched, kind === 'vllm' || kind === 'trtllm' ? undefined : end);
      const counted = messages.map((one) => one.completionTokens);
      if (kind === 'vllm')
        assert.deepEqual(
          counted,
          messages.map(() => 1),
        );
      else assert.deepEqual(counted, [...chunks.map((_one, index) => index + 1), generated]);
      assert.equal(completes[0]?.promptTokens, (await rig.ids(chat('#say Hello there'))).length);
    });

    test('answers as a whole with Completes only', async () => {
      const [complete, ...others] = await rig.generate('#say Hello there');
      assert.deepEqual(others, []);
      assert.equal(complete?.kind, 'complete');
      const trimmed = TRIMS.includes(kind) ? '' : '<|im_end|>';
      assert.equal(await rig.text(complete?.ids ?? []), `Hello there${trimmed}`);
      assert.equal(complete?.completionTokens, (await rig.ids('Hello there')).length + 1);
    });

    test('gives each of several answers its index', async () => {
      if (kind === 'mlx') return;
      const whole = await rig.generate('hi', { n: 3 });
      assert.deepEqual(
        whole.map((one) => one.index),
        kind === 'sglang' ? [0, 0, 0] : [0, 1, 2],
      );
      assert.notDeepEqual(whole[0]?.ids, whole[1]?.ids);
      const streamed = await rig.generate('hi', { n: 2, stream: true });
      const ends = streamed.filter((one) => one.kind === 'complete');
      assert.deepEqual(new Set(ends.map((one) => one.index)), new Set([0, 1]));
      const first = streamed.filter((one) => one.kind === 'chunk' && one.index === 0).flatMap((one) => one.ids);
      assert.deepEqual(first, whole[0]?.ids);
    });

    test('stops at the limit of tokens', async () => {
      const [complete] = await rig.generate('hi', { maxTokens: 5 });
      assert.equal(complete?.ids.length, 5);
      assert.equal(complete?.reason, 'length');
      assert.equal(complete?.matched, undefined);
    });

    test('goes on beyond the end token when told to ignore it', async () => {
      const [complete] = await rig.generate('#say short', { maxTokens: 40, ignoreEos: true });
      assert.equal(complete?.ids.length, 40);
      assert.equal(complete?.reason, 'length');
    });

    test('stops at a stop token', async () => {
      const words = await rig.ids('one two three');
      const stopId = (await rig.ids(' two')).at(-1) ?? -1;
      const [complete] = await rig.generate('#say one two three', { stopTokenIds: [stopId], keepsStop: true });
      assert.equal(complete?.matched, stopId);
      assert.deepEqual(complete?.ids, words.slice(0, words.indexOf(stopId) + 1));
    });

    test('stops at a stop string, except MLX, which has none', async () => {
      const [complete] = await rig.generate('#say one two three four', { stop: ['wo t', 'never'] });
      const text = await rig.text(complete?.ids ?? []);
      if (kind === 'mlx') assert.match(text, /four/);
      else assert.match(text, /^one two t\w*$/);
      assert.equal(complete?.matched, kind === 'mlx' ? rig.engine.tokenizer.endTokenIds[0] : 'wo t');
    });

    test('writes at least as many tokens as wanted', async () => {
      if (kind === 'mlx') return;
      const [complete] = await rig.generate('#say x', { minTokens: 20 });
      assert.ok((complete?.completionTokens ?? 0) >= 20);
    });

    test('answers the same request alike and another one differently', async () => {
      const [one] = await rig.generate('tell me');
      const [again] = await rig.generate('tell me');
      const [other] = await rig.generate('tell me more');
      assert.deepEqual(one?.ids, again?.ids);
      assert.notDeepEqual(one?.ids, other?.ids);
      assert.match(await rig.text(one?.ids ?? []), /né ✓ 日本語 🙂/);
      assert.equal(one?.completionTokens, 33, 'natural length and the end token');
    });

    test('finds the prefix of an earlier prompt in its cache', async () => {
      const shared = 'The same long beginning of a conversation, told in many words. '.repeat(10);
      const [first] = await rig.generate(`${shared}One`, { maxTokens: 1 });
      const [second] = await rig.generate(`${shared}Two`, { maxTokens: 1 });
      assert.ok((first?.cachedTokens ?? 0) < 16);
      const expected = Math.floor(((await rig.ids(`<|im_start|>user\n${shared}`)).length - 1) / 16) * 16;
      assert.ok((second?.cachedTokens ?? 0) >= expected, `${second?.cachedTokens} of ${expected}`);
    });

    test('refuses what the real one refuses', async () => {
      const ids = await rig.ids('hi');
      const wishes: readonly Wish[] = [
        { ids: [] },
        { ids: [...ids, 3000] },
        { ids: Array.from({ length: 131_072 }, () => 5) },
        { ids, id: '' },
      ];
      for (const wish of wishes) {
        const { code, details } = await rig.caller.call('Generate', generateRequest(kind, wish));
        assert.equal(code, 3, details);
      }
    });

    test('tells log probabilities of the output in its own way', async () => {
      const name = kind === 'trtllm' ? 'logprobs' : 'output_logprobs';
      const messages = await rig.generate('#say one two three', { stream: true, logprobs: 2 });
      const counts = messages.map(({ message }) =>
        kind === 'trtllm' ? listOf(message[name]).length : listOf(recordOf(message[name])['token_logprobs']).length,
      );
      const chunks = messages.slice(0, -1);
      if (kind === 'sglang') assert.deepEqual(counts, [...chunks.map((_one, index) => index + 1), chunks.length]);
      else
        assert.deepEqual(
          counts.slice(0, -1),
          chunks.map(({ ids }) => ids.length),
        );
      const none = await rig.generate('#say one', { stream: true });
      assert.ok(none.every(({ message }) => listOf(message[name]).length === 0 && !message['output_logprobs']));
    });

    test('says who it is', async () => {
      const info = await rig.caller.unary('GetModelInfo');
      assert.equal(info[kind === 'trtllm' ? 'model_id' : 'served_model_name'], 'm');
      assert.equal(info['vocab_size'], 3000);
      await rig.caller.unary('GetServerInfo');
    });

    test('aborts a request under way, whose slot is free then', async () => {
      rig.engine.resetStats();
      await using slow = await Rig.start({ kind, speed: 1 });
      const id = 'to-be-aborted';
      const request = generateRequest(kind, {
        ids: await slow.ids(chat('#long 5000')),
        stream: true,
        id,
        maxTokens: 6000,
      });
      const call = await slow.caller.open('Generate', request);
      await call.until(2);
      const isList = kind === 'vllm' || kind === 'mlx';
      await slow.caller.unary('Abort', isList ? { request_ids: [id, 'nobody'] } : { request_id: id, reason: 'why' });
      const { messages, code } = await call.ended;
      assert.equal(code, 0);
      const last = messages.map(told).at(-1);
      assert.deepEqual([last?.kind, last?.reason], ['complete', 'abort']);
      const { sequencesAborted, running, abortCalls } = slow.engine.stats();
      assert.deepEqual([sequencesAborted, running, abortCalls], [1, 0, isList ? 2 : 1]);
      const reason = isList || kind === 'trtllm' ? '' : 'why';
      assert.deepEqual(slow.engine.aborts()[0], { requestId: id, reason, state: 'running' });
    });

    test('drops the sequences of a caller that has left', async () => {
      await using slow = await Rig.start({ kind, speed: 1 });
      const wish = { ids: await slow.ids(chat('#long 5000')), stream: true, maxTokens: 6000 };
      const call = await slow.caller.open('Generate', generateRequest(kind, wish));
      await call.until(1);
      call.cancel();
      await slow.engine.waitFor((stats) => stats.aborted === 1 && stats.running === 0);
      assert.equal(slow.engine.stats().sequencesAborted, 1);
    });

    test('reports its loads where the real one does', async () => {
      const { code, messages } = await rig.caller
        .call('GetLoads', { include: ['core', 'queues', 'memory'] })
        .catch(() => ({ code: 12, messages: [] }));
      if (kind === 'trtllm' || kind === 'mlx') {
        assert.equal(code, 12);
        return;
      }
      const load = recordOf(listOf(messages[0]?.['loads'])[0]);
      assert.equal(load['num_running_reqs'], 0);
      assert.equal(load['max_total_num_tokens'], kind === 'vllm' ? 0 : 524_288);
    });
  });
}
