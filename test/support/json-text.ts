/** JSON objects as clients may write them: any white space, any escapes, keys given twice, `model` in every place. */
import fc from 'fast-check';
import { anyText } from './text.ts';

export interface JsonText {
  /** UTF-8, perhaps after a byte order mark. */
  readonly bytes: Buffer;
  /** The same text for JSON.parse, which refuses a byte order mark. */
  readonly text: string;
  /** The byte spans of the values of top-level members whose name means `model`, in order. */
  readonly modelSpans: readonly { readonly start: number; readonly end: number }[];
}

interface Member {
  readonly key: string;
  readonly keyToken: string;
  readonly valueToken: string;
  readonly spaces: readonly string[];
}

const BOM = '\uFEFF';

const space = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 3 });

/** Text that is full of what a scanner may trip over, often about as long as the part that it walks byte by byte. */
const trickyText = fc.oneof(
  anyText(12),
  fc.string({ unit: fc.constantFrom('\\', '"', 'x', '\n', '}', ','), maxLength: 70 }),
  fc.tuple(fc.nat(60), fc.nat(6), fc.nat(3)).map(([x, b, q]) => 'x'.repeat(x) + '\\'.repeat(b) + '"'.repeat(q)),
  fc.constantFrom('model', '"model":"no"', '{"model":1}', 'stream', 'm'.repeat(5_000)),
);

/** One of the many tokens that mean the same text: each UTF-16 unit as it is or as \uXXXX. */
function tokenOf(text: string, escapes: readonly boolean[]): string {
  if (escapes.length === 0) return JSON.stringify(text);
  let token = '"';
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    const mustEscape = code < 0x20 || code === 0x22 || code === 0x5c || (code >= 0xd800 && code <= 0xdfff);
    const hex = code.toString(16).padStart(4, '0');
    token += mustEscape || escapes[i % escapes.length] ? `\\u${i % 2 === 0 ? hex : hex.toUpperCase()}` : text[i];
  }
  return `${token}"`;
}

const escapes = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
);
const stringToken = fc.tuple(trickyText, escapes).map(([text, way]) => tokenOf(text, way));
const indent = fc.constantFrom(0, 1, 3);
const anyToken = fc.tuple(fc.jsonValue(), indent).map(([value, width]) => JSON.stringify(value, null, width));
const nestedToken = fc
  .tuple(fc.jsonValue(), indent)
  .map(([value, width]) => JSON.stringify({ model: value, stream: [{ model: 'nested', stream: true }] }, null, width));
const otherToken = fc.oneof(anyToken, nestedToken, stringToken);

const otherKey = fc.oneof(
  fc.constantFrom('models', 'Model', 'mode', 'modes', 'STREAM', '', '__proto__', 'm\\odel'),
  trickyText,
);

function memberOf(key: fc.Arbitrary<string>, valueToken: fc.Arbitrary<string>): fc.Arbitrary<Member> {
  return fc
    .tuple(key, escapes, valueToken, fc.array(space, { minLength: 4, maxLength: 4 }))
    .map(([name, way, token, spaces]) => ({ key: name, keyToken: tokenOf(name, way), valueToken: token, spaces }));
}

const modelValue = fc.oneof(
  { weight: 6, arbitrary: stringToken },
  { weight: 1, arbitrary: fc.constant('null') },
  { weight: 1, arbitrary: otherToken },
);
const streamValue = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('true', 'false', 'null') },
  { weight: 1, arbitrary: otherToken },
);

const member = fc.oneof(
  { weight: 2, arbitrary: memberOf(fc.constant('model'), modelValue) },
  { weight: 2, arbitrary: memberOf(fc.constant('stream'), streamValue) },
  { weight: 4, arbitrary: memberOf(otherKey, otherToken) },
);

/** A JSON object in one of its many spellings. */
export const jsonText: fc.Arbitrary<JsonText> = fc
  .tuple(fc.array(member, { maxLength: 8 }), space, space, fc.boolean())
  .map(([members, before, after, hasBom]) => render(members, before, after, hasBom ? BOM : ''));

function render(members: readonly Member[], before: string, after: string, mark: string): JsonText {
  const modelSpans: { start: number; end: number }[] = [];
  let text = `${before}{`;
  let bytes = Buffer.byteLength(mark + text);
  const add = (part: string) => {
    text += part;
    bytes += Buffer.byteLength(part);
  };
  for (const [i, { key, keyToken, valueToken, spaces }] of members.entries()) {
    add(`${i > 0 ? ',' : ''}${spaces[0]}${keyToken}${spaces[1]}:${spaces[2]}`);
    const start = bytes;
    add(valueToken);
    if (key === 'model') modelSpans.push({ start, end: bytes });
    add(spaces[3] ?? '');
  }
  add(`}${after}`);
  return { bytes: Buffer.from(mark + text), text, modelSpans };
}
