/** Edits of bodies for providers: what is refused goes, what is called otherwise is renamed, every other byte stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ProtocolName } from '../domain/call.ts';
import { providerNamed, providers } from '../domain/providers/index.ts';
import { bodyForProvider } from './provider-edit.ts';

interface Asked {
  readonly protocol?: ProtocolName;
  readonly model?: string;
}

function edited(name: string, text: string, { protocol = 'openai-chat', model = 'm' }: Asked = {}) {
  const provider = providerNamed(name);
  assert.ok(provider, name);
  const { body, removed, renamed } = bodyForProvider(Buffer.from(text), protocol, { provider, model });
  return { text: body.toString(), removed, renamed };
}

const textOf = (name: string, text: string): string => edited(name, text).text;

test('a body in which nothing has to change is the very same buffer', () => {
  const body = Buffer.from('{"model":"gpt-4o", "temperature":1.0}');
  for (const provider of [...providers, undefined]) {
    assert.equal(bodyForProvider(body, 'openai-chat', { provider, model: 'gpt-4o' }).body, body);
  }
});

const cuts: readonly (readonly [string, string])[] = [
  ['{"top_k":1}', '{}'],
  ['{"top_k":1,"min_p":2}', '{}'],
  ['{ "top_k" : 1 , "min_p":[1,{"a":","}] }', '{  }'],
  ['{"top_k":1,"a":2}', '{"a":2}'],
  ['{"a":2,"top_k":1}', '{"a":2}'],
  ['{"a":2 , "top_k":1 , "min_p":3 }', '{"a":2 }'],
  ['{"top_k":1, "a":2, "min_p":3, "b":4,"ebnf":"}"}', '{"a":2, "b":4}'],
  ['{"top_k":1,"a":2,"top_k":3}', '{"a":2}'],
  ['{"\\u0074op_k":1,"a":1e3}', '{"a":1e3}'],
  ['\ufeff{"top_k":1,"a":2}', '\ufeff{"a":2}'],
];

for (const [before, after] of cuts) {
  test(`takes fields that only engines have out of ${before}`, () => assert.equal(textOf('openai', before), after));
}

test('names what was taken out and had a value, each once', () => {
  assert.deepEqual(edited('openai', '{"top_k":1,"min_p":null,"top_k":2,"ebnf":""}').removed, ['top_k', 'ebnf']);
});

test('keeps for Anthropic what it has itself', () => {
  const { text, removed } = edited('anthropic', '{"top_k":5,"regex":"a"}', { protocol: 'anthropic-messages' });
  assert.deepEqual([text, removed], ['{"top_k":5}', ['regex']]);
});

test('renames in place, unless the new name stands there already', () => {
  assert.deepEqual(edited('mistral', '{"seed": 7,"max_completion_tokens":9}'), {
    text: '{"random_seed": 7,"max_tokens":9}',
    removed: [],
    renamed: ['seed>random_seed', 'max_completion_tokens>max_tokens'],
  });
  assert.deepEqual(edited('mistral', '{"max_tokens":1,"max_completion_tokens":9}'), {
    text: '{"max_tokens":1}',
    removed: ['max_completion_tokens'],
    renamed: [],
  });
});

test('renames the limit for the reasoning models of OpenAI only', () => {
  const body = '{"max_tokens":5}';
  assert.equal(edited('openai', body, { model: 'o3-mini' }).text, '{"max_completion_tokens":5}');
  assert.equal(edited('azure', body, { model: 'gpt-5-nano' }).text, '{"max_completion_tokens":5}');
  assert.equal(edited('openai', body, { model: 'gpt-4o' }).text, body);
});

test('takes members out of the objects of a list', () => {
  const body = '{"messages":[ {"role":"user","name":"x","content":"\\"name\\":1"} , 7, {"name":"y"} ],"name":"z"}';
  const { text, removed } = edited('groq', body);
  assert.equal(text, '{"messages":[ {"role":"user","content":"\\"name\\":1"} , 7, {} ],"name":"z"}');
  assert.deepEqual(removed, ['messages[].name']);
});

test('leaves what is no JSON object to the provider', () => {
  for (const body of ['', '[]', '{"top_k":1', '{"a" 1,"top_k":2}', '{"messages":[{"name":1} 2]}'])
    assert.equal(textOf('groq', body), body);
});

test('gives what JSON.parse and delete would give, for any object and any provider', () => {
  const names = ['model', 'top_k', 'min_p', 'user', 'messages', 'stop', 'json_schema', 'stream_options', 'logprobs'];
  const object = fc.dictionary(fc.constantFrom(...names), fc.jsonValue());
  const clouds = fc.constantFrom(...providers);
  fc.assert(
    fc.property(object, clouds, fc.constantFrom(undefined, 1, '\t'), (value, provider, space) => {
      const body = Buffer.from(JSON.stringify(value, undefined, space));
      const edit = bodyForProvider(body, 'openai-chat', { provider, model: 'm' });
      const gone = provider.quirks.filter(
        ({ act, protocol, models }) => act === 'remove' && protocol === 'openai-chat' && (models?.test('m') ?? true),
      );
      const expected = Object.fromEntries(
        Object.entries(value).filter(([name]) => !gone.some((quirk) => quirk.name === name)),
      );
      const read: unknown = JSON.parse(edit.body.toString());
      if (!gone.some(({ name }) => name.includes('[]'))) assert.deepEqual(read, JSON.parse(JSON.stringify(expected)));
      assert.equal(typeof read, 'object');
    }),
    { seed: 3, numRuns: 500 },
  );
});
