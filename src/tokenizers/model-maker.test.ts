/** Files to models: what is shared, what is made of templates, what is let go of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { ManualClock } from '../base/clock.ts';
import { LetterTokenizer } from '../../test/support/letter-tokenizer.ts';
import { ENCODE_POOL, EncodePool } from './encode-pool.ts';
import { SourceError } from './model-files.ts';
import { SharingMaker } from './model-maker.ts';
import type { MakerParts } from './model-maker.ts';

const script = new URL('../../test/support/letter-thread.ts', import.meta.url);
const LIMITS = { maxEntries: 100, maxBytes: 1_000_000 };

function makerFor(t: TestContext, parts: Partial<MakerParts> = {}) {
  let made = 0;
  const maker = new SharingMaker({
    createTokenizer: () => {
      made += 1;
      return new LetterTokenizer();
    },
    compileTemplate: ({ main, withTools }) => ({
      contentFormat: 'string',
      thinkingToggle: undefined,
      opensThought: false,
      takesTools: false,
      render: () => (withTools === undefined ? main : `${main}|${withTools}`),
    }),
    pool: new EncodePool({ ...ENCODE_POOL, script, threads: 1 }, new ManualClock()),
    cache: undefined,
    ...parts,
  });
  t.after(() => maker.close());
  return { maker, made: () => made };
}

function filesOf(files: Readonly<Record<string, unknown>> = {}): Map<string, Buffer> {
  const all = { 'tokenizer.json': { letters: 1 }, ...files };
  return new Map(
    Object.entries(all).map(([name, value]) => [
      name,
      Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    ]),
  );
}

const options = (source: string, template?: string) => ({ source, template, holder: {} });
const INPUT = { messages: '[]', tools: undefined, addGenerationPrompt: true, variables: undefined };

test('the same files are made once, whoever asks and however often at once', async (t) => {
  const { maker, made } = makerFor(t);
  const [a, b] = [options('a'), options('b')];
  const [one, two] = await Promise.all([maker.make(filesOf(), a), maker.make(filesOf(), b)]);
  assert.equal(made(), 1);
  assert.equal(one.tokenizer, two.tokenizer);
  assert.deepEqual([one.source, two.source], ['a', 'b']);
  await maker.make(filesOf({ 'config.json': {} }), options('c'));
  assert.equal(made(), 2);
  maker.release(a.holder);
  assert.equal(maker.size, 2);
  maker.release(b.holder);
  assert.equal(maker.size, 1);
});

test('who has let go while it was being made holds nothing', async (t) => {
  const { maker } = makerFor(t);
  const a = options('a');
  const making = maker.make(filesOf(), a);
  maker.release(a.holder);
  await making;
  assert.equal(maker.size, 0);
});

test('what cannot be made is not kept, and may be tried again', async (t) => {
  let isBad = true;
  const { maker } = makerFor(t, {
    createTokenizer: () => {
      if (isBad) throw new SourceError('bad');
      return new LetterTokenizer();
    },
  });
  await assert.rejects(maker.make(filesOf(), options('a')), /bad/);
  await assert.rejects(maker.make(new Map(), options('a')), /there is no tokenizer/);
  assert.equal(maker.size, 0);
  isBad = false;
  assert.equal((await maker.make(filesOf(), options('a'))).source, 'a');
});

test('facts come from the files; the tokenizer’s own end stands in where they name none', async (t) => {
  const { maker } = makerFor(t);
  const config = { eos_token_id: 7, model_type: 'x', architectures: ['X'], max_position_embeddings: 10 };
  const model = await maker.make(
    filesOf({ 'config.json': config, 'generation_config.json': { top_p: 0.5 } }),
    options('a'),
  );
  assert.deepEqual(
    [model.endTokenIds, model.modelType, model.architectures, model.contextLength, model.defaults],
    [[7], 'x', ['X'], 10, { topP: 0.5 }],
  );
  const bare = await maker.make(filesOf({ 'tokenizer_config.json': { eos_token: '<e>' } }), options('a'));
  assert.deepEqual([bare.endTokenIds, bare.template], [[0x110001], undefined]);
});

test('with a template for tools, both are compiled', async (t) => {
  const { maker } = makerFor(t);
  const chat_template = [
    { name: 'default', template: 'plain' },
    { name: 'tool_use', template: 'tools' },
  ];
  const { template } = await maker.make(filesOf({ 'tokenizer_config.json': { chat_template } }), options('a'));
  assert.equal(template?.render(INPUT), 'plain|tools');
});

test('an operator’s template counts before the model’s own, and makes another model of the same files', async (t) => {
  const { maker, made } = makerFor(t);
  const files = filesOf({ 'chat_template.jinja': 'own' });
  assert.equal((await maker.make(files, options('a'))).template?.render(INPUT), 'own');
  assert.equal((await maker.make(files, options('a', '{{ given }}'))).template?.render(INPUT), '{{ given }}');
  assert.equal(made(), 2);
});

test('long texts are encoded on a thread with the same files, caches or not', async (t) => {
  const { maker } = makerFor(t, { cache: { l0: LIMITS, l1: LIMITS } });
  const { tokenizer } = await maker.make(filesOf(), options('a'));
  const long = 'x'.repeat(70_000);
  const ids = tokenizer.encode(long, true);
  assert.ok(ids instanceof Promise);
  assert.deepEqual(await ids, new LetterTokenizer().encode(long, true));
});

test('counters of caches go on when a tokenizer is gone, its content does not', async (t) => {
  const { maker } = makerFor(t, { cache: { l0: LIMITS, l1: undefined } });
  const a = options('a');
  const { tokenizer } = await maker.make(filesOf(), a);
  for (let i = 0; i < 3; i += 1) void tokenizer.encode('same', false);
  const before = maker.cacheView().l0;
  assert.deepEqual([before?.hits, before?.misses, before?.entries], [2, 1, 1]);
  maker.release(a.holder);
  assert.deepEqual(maker.cacheView().l0, { hits: 2, misses: 1, entries: 0, bytes: 0 });
});
