/** What holds for every protocol in the list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventsOf } from '../../test/support/event-stream.ts';
import { frameOf } from '../../test/support/tap-case.ts';
import { GatewayError } from '../domain/errors.ts';
import { protocols } from './index.ts';

const all = Object.entries(protocols);

const KINDS = ['heartbeat', 'prelude', 'content', 'error', 'end'];

/** The words that taps look for, in every wrong place and with every wrong value. */
const word = fc.constantFrom(
  ...[
    'choices',
    'delta',
    'content',
    'finish_reason',
    'usage',
    'error',
    'message',
    'type',
    'code',
    'object',
    'response',
    'id',
  ],
  ...['meta_info', 'content_block', 'prompt_tokens', 'cached_tokens', 'prompt_tokens_details'],
);
const name = fc.constantFrom(
  ...['message_start', 'message_delta', 'message_stop', 'content_block_start', 'content_block_delta', 'ping', 'error'],
  ...['response.created', 'response.completed', 'response.failed', 'response.output_text.delta', 'x.delta', 'chunk'],
);
const leaf = fc.oneof(word, name, fc.constantFrom(null, true, 0, -1, 1e308, 429, 500, '', [], {}));
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(word, tie('value'), { maxKeys: 5 }),
  ),
}));
const frame = fc.oneof(
  fc
    .tuple(fc.dictionary(word, value), fc.option(name, { nil: undefined }))
    .map(([json, event]) => frameOf(json, event)),
  fc
    .tuple(fc.dictionary(word, value), name, fc.nat(60))
    .map(([json, event, end]) => frameOf(json, event).subarray(0, end)),
  fc.string({ maxLength: 30 }).map((text) => Buffer.from(`data: ${text}\n\n`)),
  fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom('data: [DONE]\n\n', '\n', ': ping\n\n', '').map((text) => Buffer.from(text)),
);

for (const [key, protocol] of all) {
  test(`${key}: a tap knows a kind for any frame, and no frame of a worker makes it throw`, () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), (frames) => {
        const tap = protocol.createTap();
        for (const bytes of frames) assert.ok(KINDS.includes(tap.frame(bytes)));
        const { usage } = tap;
        if (usage) for (const count of Object.values(usage)) assert.ok(count >= 0);
        assert.ok(tap.encodeError(new GatewayError('upstream_broken', 'text')).length > 0);
      }),
      { numRuns: 400 },
    );
  });

  test(`${key}: no answer of a worker makes the reading of its usage throw`, () => {
    fc.assert(
      fc.property(
        fc.oneof(
          frame,
          fc.dictionary(word, value).map((json) => Buffer.from(JSON.stringify(json))),
        ),
        (body) => {
          protocol.readUsage(body);
        },
      ),
    );
  });

  test(`${key}: the error that ends a broken stream stands alone in its frames, whatever its text holds`, () => {
    const message = 'a\n\ndata: [DONE]\n\nevent: message_stop\ndata: {}\n\n"}';
    const text = protocol.createTap().encodeError(new GatewayError('upstream_broken', message)).toString();
    assert.ok(text.endsWith('\n\n'));
    const events = eventsOf(text);
    assert.equal(events.length, key === 'openai-responses' ? 2 : 1);
    for (const { data } of events) assert.ok(JSON.stringify(JSON.parse(data)).includes(JSON.stringify(message)));
  });

  test(`${key}: the name in the list is the name of the protocol`, () => assert.equal(protocol.name, key));
}

test('the APIs that answer in one piece take the end of the bytes for the end of the answer', () => {
  for (const key of ['openai-embeddings', 'rerank', 'score', 'classify'] as const) {
    const tap = protocols[key].createTap();
    assert.equal(tap.isComplete, true);
    assert.equal(tap.frame(Buffer.from('anything')), 'content');
    const body = Buffer.from('{"data":[],"usage":{"prompt_tokens":6,"total_tokens":6}}');
    assert.deepEqual(protocols[key].readUsage(body), { inputTokens: 6, outputTokens: 0, cachedInputTokens: 0 });
  }
});

test('whole answers are read in their own words', () => {
  const chat = '{"choices":[{"message":{"content":"usage"}}],"usage":{"prompt_tokens":3,"completion_tokens":2}}';
  const messages = '{"type":"message","usage":{"input_tokens":3,"cache_read_input_tokens":9,"output_tokens":2}}';
  const generate = '{"text":"x","meta_info":{"prompt_tokens":3,"completion_tokens":2,"cached_tokens":1}}';
  assert.deepEqual(protocols['openai-chat'].readUsage(Buffer.from(chat)), {
    inputTokens: 3,
    outputTokens: 2,
    cachedInputTokens: 0,
  });
  assert.deepEqual(protocols['anthropic-messages'].readUsage(Buffer.from(messages)), {
    inputTokens: 12,
    outputTokens: 2,
    cachedInputTokens: 9,
  });
  assert.deepEqual(protocols['sglang-generate'].readUsage(Buffer.from(generate)), {
    inputTokens: 3,
    outputTokens: 2,
    cachedInputTokens: 1,
  });
});

test('a prefix of ids that the gateway makes tells the APIs for people apart', () => {
  for (const [, { idPrefix }] of all) assert.match(idPrefix, /^[a-z]+[-_]$/);
});
