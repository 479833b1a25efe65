/** Templates that mean harm: each wants more time, memory or depth than a render may have. */

const deep = (open: string, close: string, times: number, inner: string): string =>
  open.repeat(times) + inner + close.repeat(times);
const MILLION = '{% set ns = namespace(x="a") %}';
/** Goes on for longer than any budget. */
const EVER = '{% for i in range(100000) %}{% for j in range(100000) %}';
const END = '{% endfor %}{% endfor %}';

export const HOSTILE: readonly { readonly name: string; readonly source: string }[] = [
  { name: 'nested ranges', source: `${EVER}{% endfor %}{% endfor %}` },
  { name: 'nested ranges that write', source: `${EVER}x${END}` },
  { name: 'long expressions in a loop', source: `${EVER}{% set x = ${'1+'.repeat(2000)}1 %}${END}` },
  { name: 'a text times a number', source: "{{ 'a' * 10**9 }}" },
  { name: 'texts times numbers, below the limit', source: `${EVER}{% set x = 'a' * 1000000 %}${END}` },
  {
    name: 'a text that doubles',
    source: `${MILLION}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}`,
  },
  {
    name: 'a text that doubles by +',
    source: `${MILLION}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}`,
  },
  {
    name: 'a text that doubles by a block',
    source: `${MILLION}{% for i in range(100) %}{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}`,
  },
  {
    name: 'a text that doubles by replace',
    source: `${MILLION}{% for i in range(100) %}{% set ns.x = ns.x.replace('a', 'aa') %}{% endfor %}`,
  },
  { name: 'replace of nothing', source: "{{ ('a' * 500000).replace('', 'b' * 1000) }}" },
  { name: 'join with a long separator', source: "{{ range(100000) | join('a' * 10000) }}" },
  { name: 'a wide center', source: "{{ 'a' | center(10**9) }}" },
  { name: 'a wide indent', source: "{{ 'a\\nb' | indent(10**8) }}" },
  { name: 'indents of many lines', source: "{{ ('\\n' * 400000) | indent(1000, blank=true) }}" },
  { name: 'a wide format', source: "{{ '{:>999999999}'.format(1) }}" },
  { name: 'a wide format by percent', source: "{{ '%999999999d' % 1 }}" },
  { name: 'wide ljusts in a loop', source: `${EVER}{% set x = 'a'.ljust(1000000) %}${END}` },
  { name: 'a power without end', source: '{{ 10 ** (10 ** 8) }}' },
  {
    name: 'numbers that square themselves',
    source: '{% set ns = namespace(x=3) %}{% for i in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}',
  },
  { name: 'big numbers in a loop', source: `{% set x = 3 ** 8000 %}${EVER}{% set y = x * x // x %}${END}` },
  { name: 'a macro that calls itself', source: '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}' },
  {
    name: 'a macro that calls itself twice',
    source: '{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}{{ m(60) }}',
  },
  { name: 'a loop that calls itself', source: '{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}' },
  {
    name: 'a list that holds itself deep',
    source: '{% set ns = namespace(x=[]) %}{% for i in range(20000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}',
  },
  {
    name: 'deep lists compared',
    source:
      '{% set ns = namespace(x=[], y=[]) %}{% for i in range(20000) %}{% set ns.x = [ns.x] %}{% set ns.y = [ns.y] %}{% endfor %}{{ ns.x == ns.y }}',
  },
  {
    name: 'a list that doubles',
    source: '{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}',
  },
  { name: 'lists times numbers', source: `${EVER}{% set x = [1] * 1000000 %}${END}` },
  {
    name: 'lists of lists printed',
    source: '{% set a = range(1000)|list %}{% set b = [a] * 1000 %}{% set c = [b] * 1000 %}{{ c }}',
  },
  {
    name: 'shared lists as JSON',
    source:
      '{% set ns = namespace(x=["a"]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x|tojson }}',
  },
  {
    name: 'shared lists compared',
    source:
      '{% set ns = namespace(x=["a"], y=["a"]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}',
  },
  {
    name: 'sorting again and again',
    source: '{% for i in range(1000) %}{% set x = range(100000)|sort(reverse=true) %}{% endfor %}',
  },
  {
    name: 'sorting long texts',
    source:
      "{% set t = 'a' * 100000 %}{% for i in range(9999) %}{% set x = [t ~ 1, t ~ 2, t ~ 3, t ~ 4]|sort %}{% endfor %}",
  },
  { name: 'searching a long text', source: `{% set t = 'a' * 500000 %}${EVER}{% set x = 'ab' in t %}${END}` },
  {
    name: 'searching that goes back',
    source: `{% set t = 'a' * 500000 %}{% set u = 'a' * 250000 ~ 'b' %}${EVER}{% set x = t.find(u) %}${END}`,
  },
  {
    name: 'flattening a text again and again',
    source:
      "{% set ns = namespace(x='a' * 900000) %}{% for i in range(100000) %}{% set ns.x = ns.x ~ 'a' %}{% set y = ns.x[5] %}{% endfor %}",
  },
  { name: 'lengths of a text of pairs', source: `{% set t = '😀' * 250000 %}${EVER}{% set x = t|length %}${END}` },
  { name: 'cutting a text', source: `{% set t = 'a ' * 250000 %}${EVER}{% set x = t.split() %}${END}` },
  { name: 'splitting into one', source: `{% set t = 'a' * 250000 %}${EVER}{% set x = t|list %}${END}` },
  { name: 'title of a long text', source: `{% set t = 'ab cd ' * 100000 %}${EVER}{% set x = t.title() %}${END}` },
  { name: 'stripping tags', source: `{% set t = '<' * 500000 %}${EVER}{% set x = t|striptags %}${END}` },
  { name: 'wrapping words', source: "{{ ('a-' * 250000)|wordwrap(1) }}" },
  { name: 'urlencode', source: `{% set t = '😀' * 100000 %}${EVER}{% set x = t|urlencode %}${END}` },
  { name: 'quoting', source: `{% set t = '\\x01' * 100000 %}${EVER}{% set x = [t]|string %}${END}` },
  { name: 'percent in a row', source: `${EVER}{% set x = ('%%' * 300000) % () %}${END}` },
  { name: 'many batches', source: "{{ range(100000)|batch(1)|map('batch', 100000, 'x')|map('list')|list|length }}" },
  { name: 'slices', source: '{{ [1]|slice(100000000)|list }}' },
  { name: 'filters of filters', source: `{{ range(100000)${"|map('string')|map('upper')|list".repeat(100)} }}` },
  { name: 'a namespace of many', source: `${EVER}{% set ns = namespace(a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8) %}${END}` },
  { name: 'deep brackets', source: `{{ ${deep('(', ')', 100_000, '1')} }}` },
  { name: 'deep blocks', source: deep('{% if 1 %}', '{% endif %}', 100_000, 'x') },
  { name: 'a long chain of pluses', source: `{{ ${'1+'.repeat(200_000)}1 }}` },
  { name: 'a long chain of members', source: `{{ a${'.b'.repeat(200_000)} }}` },
  { name: 'a long chain of filters', source: `{{ 1${'|string'.repeat(100_000)} }}` },
  { name: 'a long chain of nots', source: `{{ ${'not '.repeat(200_000)}1 }}` },
  { name: 'a source without end', source: 'x{{ 1 }}'.repeat(200_000) },
  { name: 'open comments', source: '{#'.repeat(400_000) },
  { name: 'spaces before tags', source: `${' '.repeat(1_000)}\n`.repeat(900) + '{%- if 1 %}'.repeat(10) },
  { name: 'an open string', source: `{{ '${'\\'.repeat(500_001)}` },
];
