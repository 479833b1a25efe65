/** Texts to try tokenizers with: every script, pictures, controls, code, runs, numbers, marks, special tokens, oddities. */
import { type Random, randomInteger } from '../../src/base/random.ts';

/** First and last code point of blocks that belong together. */
const SCRIPTS: readonly (readonly [number, number])[] = [
  [0x20, 0x7e],
  [0xa0, 0xff],
  [0x100, 0x24f],
  [0x250, 0x2ff],
  [0x300, 0x36f],
  [0x370, 0x3ff],
  [0x400, 0x52f],
  [0x530, 0x58f],
  [0x590, 0x5ff],
  [0x600, 0x6ff],
  [0x700, 0x7ff],
  [0x800, 0x8ff],
  [0x900, 0x97f],
  [0x980, 0xdff],
  [0xe00, 0xeff],
  [0xf00, 0xfff],
  [0x1000, 0x109f],
  [0x10a0, 0x11ff],
  [0x1200, 0x139f],
  [0x13a0, 0x167f],
  [0x1680, 0x1aff],
  [0x1b00, 0x1cff],
  [0x1d00, 0x1fff],
  [0x2000, 0x206f],
  [0x2070, 0x2bff],
  [0x2c00, 0x2fff],
  [0x3000, 0x30ff],
  [0x3100, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xabff],
  [0xac00, 0xd7a3],
  [0xe000, 0xf8ff],
  [0xf900, 0xfaff],
  [0xfb00, 0xfdff],
  [0xfe00, 0xfffd],
  [0x10000, 0x107ff],
  [0x10800, 0x10fff],
  [0x11000, 0x11fff],
  [0x12000, 0x16fff],
  [0x17000, 0x1bfff],
  [0x1c000, 0x1cfff],
  [0x1d000, 0x1dfff],
  [0x1e000, 0x1efff],
  [0x1f000, 0x1ffff],
  [0x20000, 0x33479],
  [0xe0000, 0xe01ef],
  [0xf0000, 0xf00ff],
];

const WORDS =
  "the of and to a in is it you that he was for on are with as I his they be at one have this from or had by not but some what there we can out other were all your when up use word how said an each she which do their time if will way about many then them would write like so these her long make thing see him two has look more day could go come did my sound no most number who over know water than call first people may down side been now find Don't I'LL they've we'RE it's 'S O'ſ ſ".split(
    ' ',
  );

const CODE = [
  'for (let i = 0; i < n; i++) {\n\treturn a[i] ?? null;\n}\n',
  'def f(x: int) -> str:\n    """Doc."""\n    return f"{x!r:>10}"\n\n\n',
  '#include <stdio.h>\r\nint main(void) { return 0; }\r\n',
  '{"a": [1, 2.5e-3, null], "b\\n": "\\u00e9"}',
  "SELECT * FROM t WHERE a >= 10 AND b LIKE '%x%';",
  '<div class="a b">&nbsp;<br/></div>',
  '$ cd /usr/local/bin && ls -la | grep "foo" > /dev/null 2>&1',
  'https://example.com/path/to?x=1&y=%20#frag',
  'camelCaseWord HTTPServer XMLHttpRequest snake_case_word SCREAMING_CASE kebab-case',
];

const PICTURES = ['👩‍👩‍👧‍👦', '👍🏽', '🏳️‍🌈', '🇩🇪🇯🇵🇧🇷', '❤️', '1️⃣', '😀😃😄', '🧑🏿‍🚀', '👁️‍🗨️', '🫠', '☃', '⚡️', '🏴󠁧󠁢󠁥󠁮󠁧󠁿'];

const ODD = [
  ' ',
  '  ',
  '\n',
  '\r\n',
  '\r',
  '\n\n\n',
  '\t',
  '\u000b',
  '\f',
  '\u0085',
  '\u00a0',
  '\u1680',
  '\u2003',
  '\u2028',
  '\u2029',
  '\u202f',
  '\u205f',
  '\u3000',
  '\u200b',
  '\u200d',
  '\ufeff',
  '\ufffd',
  '\u0000',
  '\u001b',
  '\u007f',
  '\u009f',
  '\u00ad',
  '\u2581',
  '\u2581\u2581',
  '\ue000',
  '\u0301',
  'e\u0301',
  'é',
  'Å\u030a',
  '\u1100\u1161\u11a8',
  '가',
  '\u0915\u094d\u0937',
  'ﬁ',
  'ǅ',
  'ʰ',
  'ª',
  'İ',
  'ß',
  'Σς',
  '½',
  'Ⅷ',
  '²³',
  '一二三',
  'ひらがなカタカナ漢字',
  '한국어',
  'สวัสดี',
  'مرحبا',
  'שָׁלוֹם',
  'नमस्ते',
  '\ud800',
  '<0x0A>',
  '<0xE4>',
  '...',
  '!?!?',
  '----',
  '====',
  "''''",
  '/',
  '\n/',
  '\u0488',
  '\u20dd',
];

function pick<T>(random: Random, list: readonly T[]): T {
  const found = list[randomInteger(random, list.length)];
  if (found === undefined) throw new Error('an empty list');
  return found;
}

function characters(random: Random, count: number): string {
  const [first, last] = pick(random, SCRIPTS);
  let text = '';
  for (let at = 0; at < count; at++) text += String.fromCodePoint(first + randomInteger(random, last - first + 1));
  return text;
}

function anyCharacters(random: Random): string {
  let text = '';
  for (let at = randomInteger(random, 6); at >= 0; at--) text += characters(random, 1);
  return text;
}

function number(random: Random): string {
  const digits = String(randomInteger(random, 10 ** (1 + randomInteger(random, 9))));
  const shapes = [
    digits,
    `${digits}.${digits}`,
    `-${digits}e+${digits}`,
    `0x${digits}`,
    `${digits},000`,
    `٣${digits}४`,
  ];
  return pick(random, shapes);
}

function run(random: Random): string {
  const piece =
    random.next() < 0.5
      ? pick(random, ['a', ' ', '\n', '=', '0', '一', '\t', ' \n', 'ab', '😀', '▁'])
      : pick(random, ODD);
  return piece.repeat(1 + randomInteger(random, random.next() < 0.05 ? 700 : 40));
}

function part(random: Random, specialTokens: readonly string[]): string {
  switch (randomInteger(random, 12)) {
    case 0:
    case 1:
      return ` ${pick(random, WORDS)}`;
    case 2:
      return pick(random, WORDS).toUpperCase() + pick(random, WORDS);
    case 3:
      return pick(random, CODE);
    case 4:
      return pick(random, PICTURES);
    case 5:
      return number(random);
    case 6:
      return run(random);
    case 7:
      return specialTokens.length === 0 ? '<|x|>' : pick(random, specialTokens);
    case 8:
      return characters(random, 1 + randomInteger(random, 12));
    case 9:
      return anyCharacters(random);
    default:
      return pick(random, ODD);
  }
}

/** One text; `specialTokens` are strewn in. */
export function oddText(random: Random, specialTokens: readonly string[]): string {
  let text = '';
  for (let parts = randomInteger(random, 14); parts >= 0; parts--) text += part(random, specialTokens);
  return text;
}
