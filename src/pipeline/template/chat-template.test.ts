import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../domain/errors.ts';
import type { TemplateInput } from '../../domain/token-model.ts';
import { compileChatTemplate } from './chat-template.ts';
import type { TemplateSource } from './chat-template.ts';

const compile = (source: TemplateSource, specialTokens: Record<string, string> = {}) =>
  compileChatTemplate(source, { specialTokens, now: () => Date.UTC(2026, 2, 7) });

const input = (more: Partial<TemplateInput> = {}): TemplateInput => ({
  messages: '[{"role":"user","content":"Hi"}]',
  tools: undefined,
  addGenerationPrompt: true,
  variables: undefined,
  ...more,
});

function failure(render: () => unknown): GatewayError {
  try {
    render();
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown;
    throw thrown;
  }
  throw new Error('it does not fail');
}

test('gives a template the conversation, the special tokens and the clock', () => {
  const template = compile(
    "{{ bos_token }}{{ strftime_now('%d %b %Y') }} {{ messages[0].content }}{{ tools }}{{ documents }}{% if add_generation_prompt %}>{% endif %}",
    { bos_token: '<s>' },
  );
  assert.equal(template.render(input()), '<s>07 Mar 2026 HiNoneNone>');
});

test('lets the variables of a call win over everything', () => {
  const template = compile('{{ bos_token }}{{ enable_thinking }}{{ add_generation_prompt }}', { bos_token: '<s>' });
  const variables = '{"bos_token":"!","enable_thinking":false,"add_generation_prompt":false}';
  assert.equal(template.render(input({ variables })), '!FalseFalse');
});

test('keeps numbers and keys of the input as they were written', () => {
  const template = compile('{{ messages[0]|tojson }} {{ messages[0] }}');
  const messages = '[{"b":1.0,"2":1,"1":12345678901234567890,"c":1e2,"b":[null,true,2.50]}]';
  assert.equal(
    template.render(input({ messages })),
    '{"b": [null, true, 2.5], "2": 1, "1": 12345678901234567890, "c": 100.0} ' +
      "{'b': [None, True, 2.5], '2': 1, '1': 12345678901234567890, 'c': 100.0}",
  );
});

test('refuses with the words of the template', () => {
  const error = failure(() => compile("{{ raise_exception('No system role, please.') }}").render(input()));
  assert.equal(error.code, 'template_refused');
  assert.equal(error.status, 400);
  assert.match(error.message, /: No system role, please\.$/);
});

test('refuses what Python would fail at', () => {
  const error = failure(() =>
    compile("{{ 'a' + messages[0].content }}").render(input({ messages: '[{"content":[]}]' })),
  );
  assert.equal(error.code, 'template_refused');
  assert.match(error.message, /TypeError: can only concatenate str/);
});

test('cuts the words of a template that raises the conversation', () => {
  const messages = JSON.stringify([{ content: 'secret '.repeat(1000) }]);
  const error = failure(() => compile('{{ raise_exception(messages[0].content) }}').render(input({ messages })));
  assert.ok(error.message.length < 600);
});

test('a template that does not compile says where when it renders', () => {
  const template = compile('line one\n{% if x %}\n{{ 1 + }}');
  assert.equal(template.unusableReason, "line 3: unexpected 'variable of end'");
  const error = failure(() => template.render(input()));
  assert.equal(error.code, 'template_unusable');
  assert.match(error.message, /line 3/);
});

test('of named templates tool_use is for calls with tools', () => {
  const template = compile({ default: 'plain', tool_use: 'tools: {{ tools|length }}' });
  assert.equal(template.render(input()), 'plain');
  assert.equal(template.render(input({ tools: '[{},{}]' })), 'tools: 2');
  assert.equal(template.takesTools, true);
  assert.equal(compile({ default: 'plain' }).takesTools, false);
  assert.equal(compile({}).unusableReason, 'line 1: there is no template in the list');
});

test('knows the form of content that a template reads', () => {
  const formats: [string, 'string' | 'openai'][] = [
    ['{% for m in messages %}{{ m.content }}{% endfor %}', 'string'],
    ["{% for m in messages %}{{ m['content']|trim }}{% endfor %}", 'string'],
    ['{% for m in messages %}{% for part in m.content %}{{ part.text }}{% endfor %}{% endfor %}', 'openai'],
    ["{% for m in messages %}{% set c = m['content'] %}{% for p in c %}{{ p }}{% endfor %}{% endfor %}", 'openai'],
    ['{% for m in messages %}{{ m.content[0].text }}{% endfor %}', 'openai'],
    [
      '{% macro show(c) %}{% for p in c %}{{ p }}{% endfor %}{% endmacro %}{% for m in messages %}{{ show(m.content) }}{% endfor %}',
      'openai',
    ],
    ['{% for m in messages %}{% for c in m.tool_calls %}{{ c }}{% endfor %}{% endfor %}', 'string'],
    [
      '{% for m in messages %}{{ "x" + m.content }}{% set calls = m.content %}{% for c in calls %}{% endfor %}{% endfor %}',
      'string',
    ],
    ['', 'string'],
    ['{% broken', 'string'],
  ];
  for (const [source, format] of formats) assert.equal(compile(source).contentFormat, format, source);
});

test('knows the switch for thinking and how it stands', () => {
  const toggle = (source: string) => compile(source).thinkingToggle;
  assert.deepEqual(toggle('{% if enable_thinking is defined and enable_thinking is false %}x{% endif %}'), {
    name: 'enable_thinking',
    isOnByDefault: true,
  });
  assert.deepEqual(
    toggle('{% if not thinking is defined %}{% set thinking = false %}{% endif %}{% if thinking %}x{% endif %}'),
    {
      name: 'thinking',
      isOnByDefault: false,
    },
  );
  assert.deepEqual(toggle('{% if enable_thinking|default(false) %}x{% endif %}')?.isOnByDefault, false);
  assert.equal(toggle('{{ message.thinking }}'), undefined);
  assert.equal(toggle('plain'), undefined);
});

test('knows whether the prompt ends inside of a thought', () => {
  assert.equal(compile("{% if add_generation_prompt %}{{ '<|assistant|><think>\\n' }}{% endif %}").opensThought, true);
  assert.equal(compile('{% if add_generation_prompt %}<|assistant|>{% endif %}<think>').opensThought, false);
  assert.equal(compile('{% if add_generation_prompt %}<think>\n\n</think>{% endif %}').opensThought, false);
});

test('takes tools where it reads them', () => {
  assert.equal(compile('{% if tools %}{{ tools|tojson }}{% endif %}').takesTools, true);
  assert.equal(compile('{{ messages }}').takesTools, false);
});

test('two renders do not see each other', () => {
  const template = compile(
    '{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% set last = m %}{% endfor %}{{ ns.n }}{{ last is defined }}',
  );
  assert.equal(template.render(input()), '1False');
  assert.equal(template.render(input()), '1False');
});
