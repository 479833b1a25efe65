/** gpt-oss behind gRPC, as clients of three APIs see it: channels become thoughts, text and calls. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { GrpcEngineKind, SimGrpcEngine } from '../../sim/grpc/engine.ts';
import { startGrpcEngine } from '../../sim/grpc/engine.ts';
import type { Gateway } from '../../src/app/build.ts';
import { startGateway } from '../../src/app/build.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { ModelFolder } from '../support/gpt-oss-model.ts';
import { gptOssModel } from '../support/gpt-oss-model.ts';

/** A name that says nothing: the files do. */
const MODEL = 'house-model';
const WEATHER = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const CHAT_TOOL = { type: 'function', function: { name: 'get_weather', parameters: WEATHER } };

async function gatewayFor(url: string): Promise<Gateway> {
  const flags = { host: '127.0.0.1', port: 0, disableMetrics: true, logLevel: 'error', workerUrls: [url] };
  const loaded = loadConfig({ flags });
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return startGateway(loaded.config);
}

type Json = Record<string, unknown>;

for (const kind of ['sglang', 'vllm', 'trtllm'] as const satisfies readonly GrpcEngineKind[]) {
  describe(`gpt-oss on ${kind}`, () => {
    let model: ModelFolder;
    let engine: SimGrpcEngine;
    let gateway: Gateway;
    before(async () => {
      model = await gptOssModel({ model_type: 'gpt_oss' });
      engine = await startGrpcEngine({
        kind,
        models: [MODEL],
        tokenizerPath: model.path,
        speed: Number.POSITIVE_INFINITY,
      });
      gateway = await gatewayFor(engine.url);
      await gateway.whenReady(1);
    });
    after(async () => {
      await gateway.stop({ force: true });
      await engine.close();
      await model.remove();
    });

    async function post(path: string, body: object): Promise<Response> {
      const init = {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: MODEL, ...body }),
      };
      const answer = await fetch(gateway.url + path, init);
      assert.equal(answer.status, 200, answer.ok ? '' : await answer.text());
      return answer;
    }

    async function whole(path: string, body: object): Promise<Json> {
      return (await (await post(path, body)).json()) as Json;
    }

    async function streamed(path: string, body: object): Promise<Json[]> {
      const text = await (await post(path, { ...body, stream: true })).text();
      return text
        .split('\n')
        .filter((line) => line.startsWith('data: {'))
        .map((line) => JSON.parse(line.slice(6)) as Json);
    }

    const asks = (content: string, more: object = {}) => ({ messages: [{ role: 'user', content }], ...more });

    test('chat: thoughts, text, usage', async () => {
      const answer = await whole('/v1/chat/completions', asks('#think Let me see. #say Grüße 日本 🙂'));
      const [choice] = answer['choices'] as { message: Json; finish_reason: string }[];
      assert.equal(choice?.message['content'], 'Grüße 日本 🙂');
      assert.equal(choice.message['reasoning_content'], 'Let me see.');
      assert.equal(choice.finish_reason, 'stop');
      const usage = answer['usage'] as { completion_tokens_details: Json };
      assert.equal(usage.completion_tokens_details['reasoning_tokens'], 4);
    });

    test('chat: calls, with the text before them', async () => {
      const words = '#think Ask. #say I look. #tool:get_weather {"city": "Bern"}';
      const body = asks(words, { tools: [CHAT_TOOL] });
      const answer = await whole('/v1/chat/completions', body);
      const [choice] = answer['choices'] as { message: Json; finish_reason: string }[];
      assert.equal(choice?.finish_reason, 'tool_calls');
      // `<|call|>`, of which the model's files say nothing.
      assert.match(JSON.stringify(engine.lastRequest()?.message), /200012/);
      assert.deepEqual([choice.message['content'], choice.message['reasoning_content']], ['I look.', 'Ask.']);
      const [call] = choice.message['tool_calls'] as { id: string; function: Json }[];
      assert.deepEqual(call?.function, { name: 'get_weather', arguments: '{"city": "Bern"}' });
      const chunks = await streamed('/v1/chat/completions', body);
      const deltas = chunks.flatMap(({ choices }) => (choices as { delta: Json }[]).map(({ delta }) => delta));
      const said = (name: string) => deltas.map((delta) => (delta[name] as string | undefined) ?? '').join('');
      assert.deepEqual([said('content'), said('reasoning_content')], ['I look.', 'Ask.']);
      const calls = deltas.flatMap(({ tool_calls }) => (tool_calls as { function: Json }[] | undefined) ?? []);
      assert.equal(
        calls.map((each) => (each.function['arguments'] as string | undefined) ?? '').join(''),
        '{"city": "Bern"}',
      );
      assert.ok(calls.length > 3, 'arguments come in pieces');
    });

    test('chat: a call that must be made, and an answer by a schema, are bound by tags', async () => {
      const tools = [CHAT_TOOL];
      const forced = await whole('/v1/chat/completions', asks('Hi', { tools, tool_choice: 'required' }));
      const [choice] = forced['choices'] as { message: Json; finish_reason: string }[];
      assert.equal(choice?.finish_reason, 'tool_calls');
      const [call] = choice.message['tool_calls'] as { function: { name: string; arguments: string } }[];
      assert.equal(call?.function.name, 'get_weather');
      assert.equal(typeof (JSON.parse(call.function.arguments) as Json)['city'], 'string');
      const response_format = { type: 'json_schema', json_schema: { name: 'w', schema: WEATHER } };
      const bound = await whole('/v1/chat/completions', asks('Hi', { response_format }));
      const [answer] = bound['choices'] as { message: { content: string } }[];
      assert.equal(typeof (JSON.parse(answer?.message.content ?? '') as Json)['city'], 'string');
    });

    test('chat: a conversation with calls and results goes on', async () => {
      const calls = ['a', 'b'].map((id) => ({
        id,
        type: 'function',
        function: { name: 'get_weather', arguments: '{}' },
      }));
      const results = ['a', 'b'].map((id) => ({ role: 'tool', tool_call_id: id, content: '{"sunny": true}' }));
      const assistant = { role: 'assistant', content: null, reasoning_content: 'Hm.', tool_calls: calls };
      const user = { role: 'user', content: '#say Sun.' };
      const body = { messages: [user, assistant, ...results], tools: [CHAT_TOOL], reasoning_effort: 'high' };
      const answer = await whole('/v1/chat/completions', body);
      const [choice] = answer['choices'] as { message: Json }[];
      assert.equal(choice?.message['content'], 'Sun.');
    });

    test('messages: blocks of each kind, whole and as a stream', async () => {
      const tools = [{ name: 'get_weather', input_schema: WEATHER }];
      const words = '#think Ask. #say I look. #tool:get_weather {"city": "Bern"}';
      const body = asks(words, { tools, max_tokens: 200, thinking: { type: 'enabled', budget_tokens: 1024 } });
      const answer = await whole('/v1/messages', body);
      const blocks = answer['content'] as Json[];
      assert.deepEqual(
        blocks.map(({ type, text, thinking, input }) => [type, text ?? thinking ?? input]),
        [
          ['thinking', 'Ask.'],
          ['text', 'I look.'],
          ['tool_use', { city: 'Bern' }],
        ],
      );
      assert.equal(answer['stop_reason'], 'tool_use');
      const events = await streamed('/v1/messages', body);
      const started = events.filter(({ type }) => type === 'content_block_start');
      assert.deepEqual(
        started.map(({ content_block }) => (content_block as Json)['type']),
        ['thinking', 'text', 'tool_use'],
      );
    });

    test('messages: a text that the client began goes on', async () => {
      const messages = [
        { role: 'user', content: '#say and so on.' },
        { role: 'assistant', content: 'Well,' },
      ];
      const answer = await whole('/v1/messages', { messages, max_tokens: 50 });
      assert.deepEqual(
        (answer['content'] as Json[]).map(({ text }) => text),
        ['and so on.'],
      );
    });

    test('responses: items of each kind, whole and as a stream', async () => {
      const tools = [{ type: 'function', name: 'get_weather', parameters: WEATHER }];
      const body = { input: '#think Ask. #say I look. #tool:get_weather {"city": "Bern"}', tools };
      const answer = await whole('/v1/responses', body);
      const items = answer['output'] as Json[];
      assert.deepEqual(
        items.map(({ type }) => type),
        ['reasoning', 'message', 'function_call'],
      );
      assert.equal(items[2]?.['arguments'], '{"city": "Bern"}');
      const events = await streamed('/v1/responses', body);
      const added = events.filter(({ type }) => type === 'response.output_item.added');
      assert.deepEqual(
        added.map(({ item }) => (item as Json)['type']),
        ['reasoning', 'message', 'function_call'],
      );
      assert.equal(events.at(-1)?.['type'], 'response.completed');
    });
  });
}
