/** What the files of a model say of its habits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SourceError } from './model-files.ts';
import { readFacts, templateOfFile, templateTexts } from './model-facts.ts';

function filesOf(files: Readonly<Record<string, unknown>>): Map<string, Buffer> {
  const text = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  return new Map(Object.entries(files).map(([name, value]) => [name, text(value)]));
}

test('ends of turns are those of both files, numbers and lists, each once', () => {
  const ends = (config: unknown, generation: unknown) =>
    readFacts(
      filesOf({ 'config.json': { eos_token_id: config }, 'generation_config.json': { eos_token_id: generation } }),
    ).endTokenIds;
  assert.deepEqual(ends(1, [2, 1]), [1, 2]);
  assert.deepEqual(ends([3], 4), [3, 4]);
  assert.deepEqual(ends(null, 'x'), []);
});

test('a model of several media says it in the part of the text', () => {
  const facts = readFacts(
    filesOf({ 'config.json': { model_type: 'm', text_config: { max_position_embeddings: 4096, eos_token_id: 9 } } }),
  );
  assert.deepEqual([facts.contextLength, facts.endTokenIds, facts.modelType], [4096, [9], 'm']);
});

test('the context is that of the model, else of the tokenizer unless it means "any"', () => {
  const length = (config: unknown, tokenizer: unknown) =>
    readFacts(
      filesOf({
        'config.json': { max_position_embeddings: config },
        'tokenizer_config.json': { model_max_length: tokenizer },
      }),
    ).contextLength;
  assert.equal(length(8192, 100), 8192);
  assert.equal(length(undefined, 100), 100);
  assert.equal(length(undefined, 1e30), undefined);
  assert.equal(length(-1, 0), undefined);
});

test('sampling defaults are those that are numbers, whether or not the model samples by default', () => {
  const generation = {
    do_sample: false,
    temperature: 0.6,
    top_p: 0.95,
    top_k: 20,
    min_p: null,
    repetition_penalty: '1',
  };
  assert.deepEqual(readFacts(filesOf({ 'generation_config.json': generation })).defaults, {
    temperature: 0.6,
    topP: 0.95,
    topK: 20,
  });
});

test('special tokens are texts or objects, of either file', () => {
  const { specialTokens } = readFacts(
    filesOf({
      'tokenizer_config.json': {
        eos_token: { content: '</s>' },
        bos_token: null,
        extra_special_tokens: { image_token: '<i>' },
      },
      'special_tokens_map.json': {
        bos_token: '<s>',
        eos_token: 'no',
        additional_special_tokens: ['<a>', { content: '<b>' }],
      },
    }),
  );
  assert.deepEqual(specialTokens, {
    image_token: '<i>',
    bos_token: '<s>',
    eos_token: '</s>',
    additional_special_tokens: ['<a>', '<b>'],
  });
});

test('without any file nothing is known', () => {
  const { endTokenIds, modelType, architectures, contextLength, defaults } = readFacts(new Map());
  assert.deepEqual(
    [endTokenIds, modelType, architectures, contextLength, defaults],
    [[], undefined, [], undefined, {}],
  );
});

test('a file that is no JSON object is refused without a word of it', () => {
  for (const text of ['{"secret', '[1]', '"secret"'])
    assert.throws(
      () => readFacts(filesOf({ 'config.json': text })),
      (thrown) =>
        thrown instanceof SourceError &&
        thrown.message.startsWith('config.json is not') &&
        !/secret/.test(thrown.message),
    );
});

test('templates: the named one, then chat_template.json, .jinja files, tokenizer_config.json', () => {
  const all = {
    'chat_template.json': { chat_template: 'json' },
    'chat_template.jinja': 'jinja',
    'a.jinja': 'other',
    'tokenizer_config.json': { chat_template: 'config' },
  };
  const given = { main: 'given', withTools: undefined };
  const main = (names: readonly (keyof typeof all)[], named = undefined as typeof given | undefined) =>
    templateTexts(filesOf(Object.fromEntries(names.map((name) => [name, all[name]]))), named)?.main;
  const names = Object.keys(all) as (keyof typeof all)[];
  assert.equal(main(names, given), 'given');
  assert.equal(main(names), 'json');
  assert.equal(main(['a.jinja', 'chat_template.jinja', 'tokenizer_config.json']), 'jinja');
  assert.equal(main(['a.jinja', 'tokenizer_config.json']), 'other');
  assert.equal(main(['tokenizer_config.json']), 'config');
  assert.equal(main([]), undefined);
});

test('of named templates the default is taken, and the one for tools where there are tools', () => {
  const named = (list: unknown) =>
    templateTexts(filesOf({ 'tokenizer_config.json': { chat_template: list } }), undefined);
  const one = { name: 'default', template: 'a' };
  const two = { name: 'tool_use', template: 'b' };
  assert.deepEqual(named([one, two]), { main: 'a', withTools: 'b' });
  assert.deepEqual(named([two]), { main: 'b', withTools: 'b' });
  assert.deepEqual(named([{ name: 'rag', template: 'c' }]), { main: 'c', withTools: undefined });
  assert.equal(named([{ name: 'default' }, 3]), undefined);
  assert.deepEqual(named({ default: 'a' }), { main: 'a', withTools: undefined });
});

test('a template file is a template, or JSON with one in it', () => {
  assert.equal(templateOfFile('x.jinja', Buffer.from('\uFEFF{{ a }}')).main, '{{ a }}');
  assert.equal(templateOfFile('x.json', Buffer.from('{"chat_template": "y"}')).main, 'y');
  assert.throws(() => templateOfFile('x.json', Buffer.from('{}')), SourceError);
});
