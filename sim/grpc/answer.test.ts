import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exampleOfConstraint } from './constraint.ts';
import { lastUserText } from './prompt.ts';
import { exampleOfRegex } from './regex-example.ts';
import { chat, Rig } from './test-rig.ts';

let rig: Rig;
before(async () => {
  rig = await Rig.start();
});
after(() => rig.close());

test('says, thinks and calls what the last user text asks for', async () => {
  assert.equal(await rig.answer('#say né ✓ 日本語 🙂'), 'né ✓ 日本語 🙂');
  assert.equal(await rig.answer('#think hm #say yes'), '<think>hm</think>yes');
  assert.equal(
    await rig.answer('#say calling\n#tool:weather {"city": "Zürich"} #tool:clock'),
    'calling\n<tool_call>\n{"name": "weather", "arguments": {"city": "Zürich"}}\n</tool_call>\n' +
      '<tool_call>\n{"name": "clock", "arguments": {}}\n</tool_call>',
  );
  assert.deepEqual(Object.keys(JSON.parse(await rig.answer('#json'))), ['answer', 'count']);
});

test('only the last user turn speaks to it', async () => {
  const history = `${chat('#say first')}first<|im_end|>\n${chat('#say second')}`;
  assert.equal(await rig.answer(history), 'second');
  assert.equal(lastUserText('[INST] a [/INST] b [INST] c [/INST]'), ' c ');
  assert.equal(lastUserText('no markers at all'), 'no markers at all');
});

test('recalls the prompt to the letter, special tokens as text', async () => {
  const prompt = `<|im_start|>system\nBe né 🙂.<|im_end|>\n${chat('#recall it')}`;
  assert.equal(await rig.answer(prompt), prompt);
});

test('writes as many tokens as wanted', async () => {
  const [complete] = await rig.generate('#long 100');
  assert.equal(complete?.completionTokens, 101, 'and the end token');
  assert.equal(complete?.reason, 'stop');
});

test('goes on with a thought that the template has opened, and has none when told so', async () => {
  const prompt = chat('#think deep #say done');
  assert.equal(await rig.answer(`${prompt}<think>\n`), 'deep</think>done');
  assert.equal(await rig.answer(`${prompt}<think>\n\n</think>\n\n`), 'done');
  assert.equal(await rig.answer(`${chat('#say done')}<think>\n`), 'Let me think.</think>done');
});

test('a special token in its own words ends the answer', async () => {
  const [complete] = await rig.generate('hi', { stopTokenIds: [2991] });
  assert.equal(complete?.matched, 2993);
});

test('an answer bound by a schema or an expression fits it', async () => {
  const schema = JSON.stringify({
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'integer' } },
    required: ['city', 'days'],
  });
  const value: unknown = JSON.parse(await rig.answer('#say ignored', { schema }));
  assert.deepEqual(Object.keys(Object(value)), ['city', 'days']);
  assert.match(await rig.answer('hi', { regex: '(yes|no), [A-Z]{3}\\d+' }), /^(yes|no), [A-Z]{3}\d+$/);
});

test('a constraint that cannot be read is refused', async () => {
  for (const wish of [{ schema: '{"type":' }, { regex: '(' }]) {
    const { code } = await (await rig.open('hi', wish)).ended;
    assert.equal(code, 3);
  }
});

test('finds texts for expressions, grammars and structural tags', () => {
  for (const source of ['\\d{4}-\\d{2}', 'a|b', '[^a]+x?', '(?:ab){2,3}c*', '\\{"a": (true|false)\\}', '(?<n>é)🙂']) {
    const text = exampleOfRegex(source) ?? '';
    assert.match(text, new RegExp(`^(?:${source})$`, 'u'), source);
    assert.notEqual(text, '');
  }
  const grammar = 'root ::= greeting " " name\ngreeting ::= "hi" | "bye"\nname ::= [A-Z] [a-z]+';
  assert.equal(exampleOfConstraint({ kind: 'grammar', text: grammar }), 'hi Aa');
  assert.throws(() => exampleOfConstraint({ kind: 'grammar', text: 'start ::= "x"' }), /cannot be compiled/);
  const tag = { begin: '<f>', content: { type: 'json_schema', json_schema: { type: 'object' } }, end: '</f>' };
  const tagged = (rest: object) => JSON.stringify({ type: 'structural_tag', format: rest });
  const required = tagged({ type: 'triggered_tags', triggers: ['<'], tags: [tag], at_least_one: true });
  assert.equal(exampleOfConstraint({ kind: 'structural_tag', text: required }), '<f>{}</f>');
  const free = tagged({ type: 'triggered_tags', triggers: ['<'], tags: [tag] });
  assert.equal(exampleOfConstraint({ kind: 'structural_tag', text: free }), undefined);
});

test('several tokens travel in one message when the engine makes several in a step', async () => {
  await using wide = await Rig.start({ kind: 'vllm', tokensPerChunk: 4 });
  const messages = await wide.generate('#long 10', { stream: true });
  assert.deepEqual(
    messages.map(({ ids, completionTokens }) => [ids.length, completionTokens]),
    [
      [4, 4],
      [4, 4],
      [3, 3],
      [3, 3],
    ],
  );
});

test('seeds of engines that take one change the answer', async () => {
  await using vllm = await Rig.start({ kind: 'vllm' });
  assert.equal(await vllm.answer('hi', { seed: 7 }), await vllm.answer('hi', { seed: 7 }));
  assert.notEqual(await vllm.answer('hi', { seed: 7 }), await vllm.answer('hi', { seed: 8 }));
});
