/** Templates that mean harm end early with a typed error; broken and random ones never do anything else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { GatewayError } from '../../src/domain/errors.ts';
import type { TemplateInput } from '../../src/domain/token-model.ts';
import { compileChatTemplate } from '../../src/pipeline/template/chat-template.ts';
import { LimitError, PythonError, TemplateSyntaxError } from '../../src/pipeline/template/jinja/errors.ts';
import { globalsOf } from '../../src/pipeline/template/jinja/globals.ts';
import { compileProgram } from '../../src/pipeline/template/jinja/program.ts';
import { CONVERSATIONS } from './template/conversations.ts';
import { readCorpus } from './template/corpus.ts';
import { HOSTILE } from './template/hostile.ts';

const FACTS = { specialTokens: { bos_token: '<s>' }, now: () => 0 };
const NOTHING: TemplateInput = { messages: '[]', tools: undefined, addGenerationPrompt: true, variables: undefined };
const LIMITS = new Set(['template_limit', 'template_unusable']);

for (const { name, source } of HOSTILE)
  test(`${name}: ends with a typed error`, () => {
    const template = compileChatTemplate(source, FACTS);
    assert.throws(
      () => template.render(NOTHING),
      (thrown: unknown) => thrown instanceof GatewayError && LIMITS.has(thrown.code),
    );
  });

test('a render stops at its last step, and says how many it had', () => {
  const program = compileProgram(
    '{% for i in range(99999) %}{% set x = i %}{% endfor %}',
    globalsOf(() => 0),
  );
  assert.throws(() => program.render(new Map(), 0), new LimitError('it takes more than 60000 steps'));
  const short = compileProgram(
    '{% for i in range(999) %}{% set x = i %}{% endfor %}',
    globalsOf(() => 0),
  );
  const { steps } = short.render(new Map(), 0);
  assert.ok(steps >= 2 * 999 && steps < 4 * 999, `${steps} steps`);
});

test('more input allows more steps, up to a bound', () => {
  const program = compileProgram(
    '{% for i in range(99999) %}{% endfor %}',
    globalsOf(() => 0),
  );
  assert.ok(program.render(new Map(), 10_000).steps > 99_999);
  const endless = compileProgram(
    '{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}',
    globalsOf(() => 0),
  );
  assert.throws(() => endless.render(new Map(), 2 ** 40), new LimitError('it takes more than 300000 steps'));
});

test('a long conversation is rendered whole', () => {
  const content = 'A sentence that goes on. '.repeat(40_000);
  const template = compileChatTemplate(
    '{% for m in messages %}{{ "<|" + m.role + "|>" + m.content|trim + "\\n" }}{% endfor %}',
    FACTS,
  );
  const messages = JSON.stringify([
    { role: 'user', content },
    { role: 'assistant', content },
  ]);
  assert.equal(template.render({ ...NOTHING, messages }).length, 2 * content.trim().length + 8 + 13 + 2);
});

const FRAGMENTS =
  '{{ |}}|{% |%}|{%- |-%}|{# | #}|if |else|elif |endif|for |in |endfor|set |endset|macro |endmacro|call |endcall|x|messages|loop|ns|namespace()|' +
  '.content|[0]|[::-1]|[1:]|(|)|[|]|{|}|,|:|=|==|<|+|-|*|//|%|**|~|and |or |not |is |defined|none|1|2.5|"a"|\'é😀\'|true|' +
  '|tojson|upper|length|join|map(|replace("a", "bb")|range(9)|.items()|.split()|.format(1)|raw|endraw|break|continue|recursive|generation|\n|  ';
const WORDS = FRAGMENTS.split('|').map((word) => (word === '' ? '|' : word));

function renderAnything(source: string, messages: string): void {
  const template = compileChatTemplate(source, FACTS);
  try {
    template.render({ ...NOTHING, messages });
  } catch (thrown) {
    assert.ok(thrown instanceof GatewayError, `${source}: ${String(thrown)}`);
    assert.notEqual(thrown.code, 'internal_error', `${source}: ${String(thrown.cause)}`);
  }
}

test('random templates never throw anything but typed errors', () => {
  const random = seededRandom(11);
  for (let round = 0; round < 6_000; round += 1) {
    const words = Array.from(
      { length: 2 + Math.floor(random.next() * 24) },
      () => WORDS[Math.floor(random.next() * WORDS.length)],
    );
    renderAnything(words.join(''), '[{"role":"user","content":"hi"}]');
  }
});

test('random expressions in a good frame never throw anything but typed errors', () => {
  const random = seededRandom(12);
  for (let round = 0; round < 6_000; round += 1) {
    const words = Array.from(
      { length: 1 + Math.floor(random.next() * 7) },
      () => WORDS[20 + Math.floor(random.next() * (WORDS.length - 20))],
    );
    renderAnything(`{% for x in messages %}{{ ${words.join(' ')} }}{% endfor %}`, '[{"role":"user","content":"hi"}]');
  }
});

test('templates of real models, cut anywhere or with a piece left out, never throw anything but typed errors', async () => {
  const random = seededRandom(13);
  const corpus = await readCorpus();
  for (const { source } of corpus)
    for (let round = 0; round < 6; round += 1) {
      const from = Math.floor(random.next() * source.length);
      const to = from + Math.floor(random.next() * 60);
      const conversation = CONVERSATIONS[Math.floor(random.next() * CONVERSATIONS.length)];
      renderAnything(source.slice(0, from), conversation?.messages ?? '[]');
      renderAnything(source.slice(0, from) + source.slice(to), conversation?.messages ?? '[]');
    }
});

test('input that is no JSON, or too deep, is refused', () => {
  const template = compileChatTemplate('{{ messages }}', FACTS);
  for (const messages of [
    '',
    '[',
    '[1,]',
    '{"a"}',
    '[01]',
    '["\\x"]',
    '[1] 2',
    'nul',
    '"',
    '['.repeat(100_000),
    '[NaN]',
  ])
    assert.throws(
      () => template.render({ ...NOTHING, messages }),
      (thrown: unknown) => thrown instanceof GatewayError && thrown.code === 'template_refused',
      messages.slice(0, 20),
    );
});

test('faults of a template are known by their class', () => {
  assert.throws(() => compileProgram('{% if %}', new Map()), TemplateSyntaxError);
  assert.throws(() => compileProgram('{{ 1 + "a" }}', new Map()).render(new Map(), 0), PythonError);
});
