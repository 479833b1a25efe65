/** What counts as the prompt of a body, what does not, and what two bodies have in common. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyText } from '../../test/support/text.ts';
import type { ProtocolName } from '../domain/call.ts';
import type { PromptBlocks } from '../domain/prompt.ts';
import { protocols } from './index.ts';

type Json = Readonly<Record<string, unknown>>;

const MODEL = 'llama';

/** The same JSON as three kinds of clients write it. */
const FORMS: readonly ((json: Json) => string)[] = [
  (json) => JSON.stringify(json),
  (json) => JSON.stringify(json, undefined, 1).replaceAll(/\n */g, ' '),
  (json) => JSON.stringify(json, undefined, '\t').replaceAll('\n', '\r\n'),
];
const anyForm = fc.constantFrom(...FORMS);

interface Api {
  readonly protocol?: ProtocolName;
  readonly model?: string;
}

function read(json: Json | string, { protocol = 'openai-chat', model = MODEL }: Api = {}): PromptBlocks {
  return protocols[protocol].readPrompt(Buffer.from(typeof json === 'string' ? json : JSON.stringify(json)), model);
}

function hashes({ words, count }: PromptBlocks): string[] {
  return Array.from({ length: count }, (_, i) => `${words[2 * i]}:${words[2 * i + 1]}`);
}

/** How many blocks two prompts have in common from the start; no block after the first difference may be alike. */
function common(one: PromptBlocks, two: PromptBlocks): number {
  const [left, right] = [hashes(one), hashes(two)];
  const at = left.findIndex((hash, i) => hash !== right[i]);
  if (at < 0) return left.length;
  for (let i = at; i < Math.min(left.length, right.length); i += 1) assert.notEqual(left[i], right[i]);
  return at;
}

function chat(content: unknown, more: Json = {}): Json {
  return { model: MODEL, messages: [{ role: 'user', content }], ...more };
}

const longText = fc.tuple(anyText(30), fc.integer({ min: 1, max: 60 })).map(([text, times]) => text.repeat(times));
const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object', enum: [1, 2.5, 'x'] } } }];
const image = (seed: string, bytes = 3_000) => `data:image/png;base64,${Buffer.alloc(bytes, seed).toString('base64')}`;

/** The body of the first so many turns. */
type Conversation = (turns: readonly string[]) => Json;

const CONVERSATIONS: readonly (readonly [name: string, protocol: ProtocolName, body: Conversation])[] = [
  ['text', 'openai-chat', (turns) => ({ messages: turns.map((content) => ({ role: 'user', content })), tools })],
  ['pictures', 'openai-chat', (turns) => ({ messages: turns.map(withPicture) })],
  ['a text', 'openai-completions', (turns) => ({ prompt: turns.join('\n'), max_tokens: turns.length })],
  ['token ids', 'openai-completions', (turns) => ({ prompt: turns.flatMap((turn) => [...Buffer.from(turn)]) })],
  ['items', 'openai-responses', (turns) => ({ input: turns.map((text) => ({ text })), instructions: 'Be kind.' })],
  ['a mark that moves', 'anthropic-messages', (turns) => ({ system: 'Be kind.', messages: turns.map(marked) })],
  ['a text', 'sglang-generate', (turns) => ({ text: turns.join(''), image_data: [image('a')] })],
  ['token ids', 'sglang-generate', (turns) => ({ input_ids: turns.flatMap((turn) => [...Buffer.from(turn)]) })],
  ['texts', 'openai-embeddings', (turns) => ({ input: turns })],
  ['documents', 'rerank', (turns) => ({ query: 'What?', documents: turns })],
  ['items', 'score', (turns) => ({ query: 'What?', items: turns })],
  ['texts', 'classify', (turns) => ({ input: turns })],
];

function withPicture(text: string, turn: number): Json {
  const picture = { type: 'image_url', image_url: { url: image(String(turn)) } };
  return { role: 'user', content: [picture, { type: 'text', text }] };
}

/** As Anthropic's clients do it: the last message, and it alone, has the mark. */
function marked(text: string, turn: number, turns: readonly string[]): Json {
  const mark = turn === turns.length - 1 ? { cache_control: { type: 'ephemeral', ttl: ['5m', 1] } } : {};
  return { role: 'user', content: [{ ...(turn % 2 === 0 ? mark : {}), type: 'text', text, ...mark }] };
}

for (const [name, protocol, body] of CONVERSATIONS) {
  test(`${protocol}, ${name}: the next turn has all full blocks of the one before it, in whatever form it comes`, () => {
    let blocks = 0;
    fc.assert(
      fc.property(fc.array(longText, { minLength: 2, maxLength: 6 }), anyForm, anyForm, (turns, oneForm, otherForm) => {
        const before = read(oneForm(body(turns.slice(0, -1))), { protocol });
        const after = read(otherForm(body(turns)), { protocol });
        assert.equal(common(before, after), before.count);
        assert.ok(after.tokens >= before.tokens);
        blocks += before.count;
      }),
    );
    assert.ok(blocks > 100, `only ${blocks} blocks were compared`);
  });

  test(`${protocol}, ${name}: that holds for a turn of any length, wherever in a block its brackets fall`, () => {
    for (let length = 1; length <= 520; length += 1) {
      const turns = ['x'.repeat(600), 'y'.repeat(length), 'z'];
      const before = read(body(turns.slice(0, -1)), { protocol });
      assert.equal(common(before, read(body(turns), { protocol })), before.count);
    }
  });
}

const oddKey = fc.constantFrom('url', 'image_url', 'source', 'data', 'image', 'text', 'content', 'cache_control', 'a');
const oddText = fc.constantFrom(
  ...[image('a'), 'http://a/b', 'https a', `https://a b${'c'.repeat(300)}`, `data:a; b;base64,${'c'.repeat(300)}`],
  ...['Zm9v'.repeat(100), `Zm9v${' '.repeat(300)}`, 'cache', 'cache_control', '', 'a', 'é'.repeat(200)],
);
/** Everything that the walk has an eye on, in every place. */
const { odd } = fc.letrec((tie) => ({
  odd: fc.oneof(
    { depthSize: 'small' },
    oddText,
    fc.constantFrom(null, true, 0, 7, 12_345, -1, 2.5, 1e30, [], {}, [1, 2], [1, 2.5], [[3], 4]),
    fc.array(tie('odd'), { maxLength: 4 }),
    fc.dictionary(oddKey, tie('odd'), { maxKeys: 4 }),
  ),
}));

test('what needs a walk and what does not come to the same, whatever stands beside it', () => {
  fc.assert(
    fc.property(fc.array(odd, { maxLength: 4 }), anyForm, (messages, form) => {
      const body = { messages: [...messages, 'x '.repeat(300)] };
      const before = read(body);
      assert.deepEqual(read(form(body)), before);
      for (const next of [{ url: 'http://a' }, { a: [1] }, 'text']) {
        assert.equal(common(before, read({ messages: [...body.messages, next] })), before.count);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a picture may follow any number of short strings', () => {
  const url = 'https://example.com/cat.png';
  for (let count = 1; count < 1_500; count += 1) {
    const short = Array.from({ length: count }, (_, i) => ({ [`k${i % 10}`]: 'v' }));
    const messages = [...short, { image_url: { url } }];
    const bytes = JSON.stringify(messages).length - '[]'.length - JSON.stringify(url).length + 4 * 768;
    assert.equal(read({ messages }).tokens, Math.ceil(bytes / 4));
  }
});

test('every one of thousands of short strings counts, in whatever form they come', () => {
  const strings = Array.from({ length: 1_500 }, (_, i) => ({ [`key ${i}`]: 'value' }));
  for (const form of FORMS) {
    const keys = new Set([key(form({ messages: strings }), Number.POSITIVE_INFINITY)]);
    for (let i = 0; i < strings.length; i += 3) {
      keys.add(key(form({ messages: strings.with(i, { [`key ${i}`]: 'valuf' }) }), Number.POSITIVE_INFINITY));
    }
    assert.equal(keys.size, 501);
  }
});

test('white space between tokens and the order of members in the body do not count, that in strings does', () => {
  fc.assert(
    fc.property(fc.dictionary(anyText(5), fc.jsonValue()), anyForm, (json, form) => {
      const content = 'x'.repeat(2_000);
      const one = read({ tools: [json], messages: [{ content }], temperature: 1 });
      const two = read(form({ seed: 7, messages: [{ content }], n: 1, tools: [json] }));
      assert.deepEqual(two, one);
    }),
  );
  const blocks = read(chat('a b'.repeat(300)));
  assert.equal(common(blocks, read(chat('a  b'.repeat(300)))), 0);
});

test('tools come before the messages: other tools share nothing, other messages share the tools', () => {
  const many = Array.from({ length: 50 }, () => tools[0]);
  const messages = [{ content: 'x'.repeat(5_000) }];
  const before = read({ messages, tools: many });
  const blocksOf = (given: unknown) => Math.floor((JSON.stringify(given).length - 2) / 512);
  assert.equal(common(before, read({ messages: [{ content: 'y' }], tools: many })), blocksOf(many));
  assert.equal(common(before, read({ messages, tools: many.slice(0, 30) })), blocksOf(many.slice(0, 30)));
  assert.equal(common(before, read({ messages, tools: [{ name: 'g' }, ...many] })), 0);
  assert.equal(common(before, read({ messages })), 0);
});

test('model, adapter and what the template is told set every block apart; how to sample sets none', () => {
  const long = 'x'.repeat(3_000);
  const plain = read(chat(long));
  assert.equal(common(plain, read(chat(long), { model: 'llama:adapter' })), 0);
  for (const salt of [
    { lora_path: 'a' },
    { lora_path: 'b' },
    { chat_template_kwargs: { thinking: true } },
    { reasoning_effort: 'low' },
    { cache_salt: 'tenant' },
    { extra_key: 'tenant' },
  ]) {
    assert.equal(common(plain, read(chat(long, salt))), 0, JSON.stringify(salt));
    assert.equal(common(read(chat(long, salt)), read(chat(long, salt))), plain.count);
    assert.equal(read(chat(long, salt)).tokens, plain.tokens);
  }
  const other = { temperature: 1, stream: true, user: 'u', response_format: { type: 'json_object' }, lora_path: null };
  assert.deepEqual(read(chat(long, other)), plain);
});

test('a value moved from one salt member to another, or from one content member to the next, is another prompt', () => {
  const text = 'x'.repeat(3_000);
  assert.equal(common(read(chat(text, { cache_salt: 'a' })), read(chat(text, { extra_key: 'a' }))), 0);
  const protocol = 'openai-completions';
  const one = read({ prompt: text, suffix: text }, { protocol });
  const two = read({ prompt: `${text}x`, suffix: text.slice(1) }, { protocol });
  assert.equal(common(one, two), 5);
  assert.equal(common(read({ prompt: text }, { protocol }), read({ suffix: text }, { protocol })), 0);
});

test('roles count, and so does the split of a text between messages', () => {
  const long = 'x'.repeat(1_000);
  const [user, system] = ['user', 'system'].map((role) => read({ messages: [{ role, content: long }] }));
  assert.equal(common(user as PromptBlocks, system as PromptBlocks), 0);
  const one = read({ messages: [{ content: long + long }] });
  assert.equal(common(one, read({ messages: [{ content: long }, { content: long }] })), 1);
});

test('of a member given twice the last one counts, and a name may be escaped', () => {
  const long = 'x'.repeat(3_000);
  const once = read({ messages: [{ content: long }] });
  assert.deepEqual(read(`{"messages":[1],"messages":[{"content":"${long}"}]}`), once);
  assert.deepEqual(read(`{"mess\\u0061ges":[{"content":"${long}"}]}`), once);
});

test('cache_control is left out wherever it stands, as first, middle, last or only member', () => {
  const long = 'x'.repeat(600);
  const plain = read({ messages: [{ a: 1, b: long, c: {} }] }, { protocol: 'anthropic-messages' });
  const mark = { type: 'ephemeral', deep: [{ '}': '{"' }] };
  for (const message of [
    { cache_control: mark, a: 1, b: long, c: {} },
    { a: 1, cache_control: null, b: long, c: {} },
    { a: 1, b: long, c: {}, cache_control: 'x' },
    { a: 1, b: long, c: { cache_control: mark } },
  ]) {
    for (const form of FORMS) {
      assert.deepEqual(read(form({ messages: [message] }), { protocol: 'anthropic-messages' }), plain);
    }
  }
  const text = read({ messages: [{ a: 1, b: long, c: {}, d: 'cache_control' }] });
  assert.ok(text.tokens > plain.tokens);
});

const picture = (url: string) => chat([{ type: 'image_url', image_url: { url, detail: 'low' } }]);

const PAYLOADS: readonly (readonly [
  name: string,
  protocol: ProtocolName,
  body: (seed: string, bytes: number) => Json,
])[] = [
  ['a picture as data URL', 'openai-chat', (seed, bytes) => picture(image(seed, bytes))],
  ['a sound', 'openai-chat', (seed, n) => chat([{ input_audio: { data: base64(seed, n), format: 'wav' } }])],
  ['a file', 'openai-chat', (seed, n) => chat([{ file: { filename: 'a', file_data: base64(seed, n) } }])],
  ['a picture', 'openai-responses', (seed, n) => ({ input: [{ content: [{ image_url: image(seed, n) }] }] })],
  ['a picture', 'anthropic-messages', (seed, n) => ({ messages: [{ source: { data: base64(seed, n) } }] })],
  ['a picture', 'sglang-generate', (seed, n) => ({ text: 'x', image_data: base64(seed, n) })],
  ['a list of pictures', 'sglang-generate', (seed, n) => ({ text: 'x', image_data: [base64(seed, n)] })],
  ['a picture to embed', 'openai-embeddings', (seed, n) => ({ input: [{ text: 'x', image: base64(seed, n) }] })],
];

function base64(seed: string, bytes: number): string {
  return Buffer.alloc(bytes, seed).toString('base64');
}

for (const [name, protocol, body] of PAYLOADS) {
  test(`${protocol}: ${name} counts by its identity and for 768 tokens, not for its bytes`, () => {
    const [small, large] = [read(body('a', 400), { protocol }), read(body('a', 900_000), { protocol })];
    for (const { tokens } of [small, large]) assert.ok(tokens >= 768 && tokens < 820, String(tokens));
    const twin = Buffer.from(JSON.stringify(body('a', 900_000)));
    assert.deepEqual(protocols[protocol].readPrompt(twin, MODEL), large);
    assert.ok(common(small, large) <= 1);
    for (const form of FORMS)
      assert.deepEqual(read(form(body('b', 500)), { protocol }), read(body('b', 500), { protocol }));
  });
}

test('one changed byte near the start, in the middle or at the end of a picture makes another picture', () => {
  for (const bytes of [300, 20_000, 190_000]) {
    const url = image('pixels', bytes);
    for (const at of [30, Math.floor(url.length / 2), url.length - 3]) {
      const changed = `${url.slice(0, at)}${url[at] === 'A' ? 'B' : 'A'}${url.slice(at + 1)}`;
      assert.equal(common(read(picture(url)), read(picture(changed))), 0);
    }
  }
});

test('a long picture is another when a thousandth of it changes anywhere, as compressed pictures do and more', () => {
  const url = image('pixels', 3_000_000);
  const before = read(picture(url));
  for (const at of [30, 1_234_567, 2_000_000, url.length - 20_000]) {
    const changed = url.slice(0, at) + 'A'.repeat(16_000) + url.slice(at + 16_000);
    assert.equal(common(before, read(picture(changed))), 0);
  }
});

test('a picture by URL counts for its address and 768 tokens', () => {
  const one = read(picture('https://example.com/cat.png'));
  assert.ok(one.tokens >= 768 && one.tokens < 800);
  assert.equal(common(one, read(picture('https://example.com/dog.png'))), 0);
  const source = { type: 'url', url: 'http://example.com/cat.png' };
  const { tokens } = read({ messages: [{ content: [{ type: 'image', source }] }] }, { protocol: 'anthropic-messages' });
  assert.ok(tokens >= 768 && tokens < 800);
});

test('text that only looks like a picture counts by its bytes', () => {
  for (const [content, least] of [
    [image('a', 3_000), 1_000],
    [`data: ${'x'.repeat(4_000)}`, 1_000],
    [`https://example.com/${'x'.repeat(4_000)}`, 1_000],
    ['http', 1],
  ] as const) {
    const { tokens } = read(chat(content));
    assert.ok(tokens >= least && tokens < least + 60, `${tokens} for ${content.slice(0, 30)}`);
  }
  const beside = { image_url: { detail: 'low' }, url: 'https://example.com/page' };
  assert.ok(read({ messages: [beside, { cache_control: 1 }] }).tokens < 40);
  const input = { url: 'https://example.com/page', data: 'words and words '.repeat(100) };
  assert.ok(read({ messages: [{ type: 'tool_use', input }] }, { protocol: 'anthropic-messages' }).tokens < 450);
});

test('every token id is one token, whatever its digits and the space around it', () => {
  const ids = Array.from({ length: 1_000 }, (_, i) => (i * 7_919) % 128_256);
  for (const [protocol, member] of [
    ['sglang-generate', 'input_ids'],
    ['openai-completions', 'prompt'],
    ['openai-embeddings', 'input'],
  ] as const) {
    const one = read({ [member]: ids }, { protocol });
    assert.deepEqual([one.tokens, one.count], [1_000, 7]);
    for (const form of FORMS) assert.deepEqual(read(form({ [member]: ids }), { protocol }), one);
    assert.equal(common(one, read({ [member]: ids.with(200, 1) }, { protocol })), 1);
  }
  const batch = read({ input_ids: [ids, ids] }, { protocol: 'sglang-generate' });
  assert.ok(batch.tokens >= 2_000 && batch.tokens <= 2_002);
});

test('lists of fractions and of mixed values are followed too', () => {
  const protocol = 'sglang-generate';
  const texts = [
    '[1,23]',
    '[12,3]',
    '[1.5,2]',
    '[15,2]',
    '[-1,2]',
    '[1,-2]',
    '[1,"2"]',
    '[[1],2]',
    '[1,[2]]',
    '[]',
    '[1e5]',
  ];
  const keys = texts.map((text) => protocols[protocol].hashPrefix(Buffer.from(`{"input_ids":${text}}`), MODEL, 100));
  assert.equal(new Set(keys).size, keys.length);
});

test('tokens are a quarter of the bytes, and at least one', () => {
  assert.equal(read({ messages: '' }).tokens, 1);
  const { tokens, count, tokensPerBlock } = read(chat('word '.repeat(800)));
  assert.ok(tokens >= 1_000 && tokens < 1_020);
  assert.equal(count, Math.floor(tokens / tokensPerBlock));
});

test('a body that is not as its API says counts with all its bytes, and none makes it throw', () => {
  const key = fc.constantFrom('messages', 'tools', 'prompt', 'input', 'image_data', 'text', 'url', 'cache_control');
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, 1, 2.5, 'text', image('a', 300), 'http://a', [], {}),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 3 }),
    ),
  }));
  const text = fc.tuple(fc.dictionary(key, value, { maxKeys: 4 }), anyForm).map(([json, form]) => form(json));
  const cut = fc.tuple(text, fc.nat(60), fc.nat(60), fc.constantFrom('', '"', '{', '[', ']', '}', ',', ':', '\\', '1'));
  const torn = cut.map(([whole, at, gap, insert]) => whole.slice(0, at) + insert + whole.slice(at + (gap % 4)));
  fc.assert(
    fc.property(
      fc.oneof(torn, fc.string(), fc.uint8Array()),
      fc.constantFrom(...Object.values(protocols)),
      (odd, protocol) => {
        const body = Buffer.from(odd as string);
        const { words, count, tokens } = protocol.readPrompt(body, MODEL);
        assert.ok(tokens >= 1 && words.length >= 2 * count);
        assert.ok(Number.isSafeInteger(protocol.hashPrefix(body, MODEL, 10)));
      },
    ),
    { numRuns: 2_000 },
  );
  for (const odd of ['x'.repeat(4_000), JSON.stringify([chat('x'.repeat(3_970))]), `{"a":"${'x'.repeat(3_992)}"}`]) {
    const { tokens, count } = read(odd);
    assert.deepEqual(
      [tokens, count],
      [Math.ceil(Buffer.byteLength(odd) / 4), Math.floor(Buffer.byteLength(odd) / 512)],
    );
  }
});

test('a million open brackets cost no stack', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['[ ', ']'],
    ['{"a":', '}'],
    ['{"cache_control":', '}'],
  ] as const) {
    const depth = 1_000_000;
    assert.ok(read(`{"messages":[${open.repeat(depth)}1${close.repeat(depth)}]}`).tokens >= 1);
    assert.ok(read(`{"messages":[${open.repeat(depth)}`).tokens >= depth / 4);
  }
});

test('of a huge prompt the first million tokens are hashed and all of them counted', () => {
  const bytes = 6 * 1024 * 1024;
  for (const json of [chat('x'.repeat(bytes)), { messages: ['x '.repeat(bytes / 2), [1, 'y']] }]) {
    const { tokens, count, words } = read(json);
    assert.deepEqual([count, words.length], [8_192, 16_384]);
    assert.ok(tokens >= bytes / 4 && tokens < bytes / 4 + 20);
  }
});

test('a prompt that was read stays as it is when the next one is read', () => {
  const first = read(chat('x'.repeat(5_000)));
  const kept = hashes(first);
  read(chat('y'.repeat(9_000)));
  assert.deepEqual(hashes(first), kept);
});

function key(json: Json | string, tokens: number, model = MODEL): number {
  const text = typeof json === 'string' ? json : JSON.stringify(json);
  return protocols['openai-chat'].hashPrefix(Buffer.from(text), model, tokens);
}

test('the hash of a prefix depends on the first tokens only, and on the salt', () => {
  const [one, two] = [chat(`${'x'.repeat(1_200)}a`), chat(`${'x'.repeat(1_200)}b and more`)];
  for (const tokens of [1, 7, 256, 300]) assert.equal(key(one, tokens), key(two, tokens));
  assert.notEqual(key(one, 320), key(two, 320));
  assert.notEqual(key(one, 256), key(one, 255));
  assert.notEqual(key(one, 256), key(one, 256, 'other'));
  assert.notEqual(key(one, 256), key({ ...one, lora_path: 'a' }, 256));
});

test('a prompt shorter than the prefix is hashed whole', () => {
  const short = chat('short');
  assert.equal(key(short, 1_000), key(short, Number.POSITIVE_INFINITY));
  assert.notEqual(key(short, 1_000), key(chat('shorter'), 1_000));
  for (const tokens of [0, -1, 0.3]) assert.ok(Number.isSafeInteger(key(short, tokens)));
});
