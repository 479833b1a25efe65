/**
 * Hashing what the engine will read of a body, beside parsing all of it to hash its text.
 * Shapes  promptContests() → one for each kind of body
 * Why     kinds: prose; code, whose quotes and line ends are escaped; Python's spaces after commas and colons; JSON
 *         schemas of tools, which are all short strings; token ids; an image, which counts by identity
 */
import { createHash } from 'node:crypto';
import { protocols } from '../../src/protocols/index.ts';
import type { Contest } from './race.ts';

const MODEL = 'llama-3.1-8b';
const PREFIX_TOKENS = 256;
const PROSE =
  'The shepherd counts every request that passes the gate, and at nightfall none of them may be missing. '.repeat(5);
const CODE =
  'Please look at this function – it returns "undefined" for an empty list:\n\n```ts\n' +
  'function last(items: string[]): string {\n  return items[items.length - 1] ?? "nothing";\n}\n```\n'.repeat(5);

export function promptContests(): Contest[] {
  return [
    contestOf('8 KB of prose', chat(8_192, PROSE)),
    contestOf('8 KB of code', chat(8_192, CODE)),
    contestOf('8 KB of code, Python’s spaces', spaced(chat(8_192, CODE))),
    contestOf('8 KB of tools', tools(8_192)),
    contestOf('400 KB of prose', chat(409_600, PROSE)),
    contestOf('400 KB of code', chat(409_600, CODE)),
    contestOf('400 KB of code, Python’s spaces', spaced(chat(409_600, CODE))),
    contestOf('400 KB of tools', tools(409_600)),
    contestOf('100,000 token ids', { input_ids: Array.from({ length: 100_000 }, (_, i) => (i * 7_919) % 128_256) }),
    contestOf('an image of 1 MB', image(1_048_576)),
  ];
}

interface Body {
  readonly [member: string]: unknown;
}

function contestOf(name: string, json: Body | string): Contest {
  const body = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
  const protocol = body.includes('"input_ids"') ? protocols['sglang-generate'] : protocols['openai-chat'];
  return {
    name: `prompt of ${name}`,
    contenders: [
      {
        name: 'JSON.parse, SHA-1 of the messages',
        run(times) {
          let length = 0;
          for (let i = 0; i < times; i++) length += parseAndHash(body);
          return length;
        },
      },
      {
        name: 'readPrompt',
        run(times) {
          let count = 0;
          for (let i = 0; i < times; i++) count += protocol.readPrompt(body, MODEL).tokens;
          return count;
        },
      },
      {
        name: `hashPrefix of ${PREFIX_TOKENS} tokens`,
        run(times) {
          let sum = 0;
          for (let i = 0; i < times; i++) sum += protocol.hashPrefix(body, MODEL, PREFIX_TOKENS) % 8;
          return sum;
        },
      },
    ],
  };
}

function parseAndHash(body: Buffer): number {
  const { messages, tools: given, input_ids: ids } = JSON.parse(body.toString()) as Body;
  return createHash('sha1')
    .update(JSON.stringify([given, messages, ids]))
    .digest().length;
}

/** As the openai SDK writes it: the messages first, so that the tools and the model stand at the end. */
function chat(bytes: number, content: string): Body {
  const turns = Math.ceil(bytes / (JSON.stringify(content).length + 30));
  const messages = Array.from({ length: turns }, (_, turn) => ({
    role: turn % 2 === 0 ? 'user' : 'assistant',
    content,
  }));
  return { messages, model: MODEL, temperature: 0.7, max_tokens: 512, stream: true };
}

/** `json.dumps` without `separators`. */
function spaced(body: Body): string {
  return JSON.stringify(body, undefined, 1).replaceAll(/\n */g, ' ');
}

function tools(bytes: number): Body {
  const property = { type: 'string', description: 'The name of the city, e.g. Oslo', enum: ['Oslo', 'Bergen'] };
  const parameters = { type: 'object', properties: { city: property, unit: property }, required: ['city'] };
  const one = { type: 'function', function: { name: 'get_weather', description: 'Weather of a city', parameters } };
  const count = Math.ceil(bytes / (JSON.stringify(one).length + 1));
  return { ...chat(1, 'What is the weather in Oslo?'), tools: Array.from({ length: count }, () => one) };
}

function image(bytes: number): Body {
  const url = `data:image/png;base64,${Buffer.alloc((bytes * 3) / 4, 'pixels').toString('base64')}`;
  const content = [
    { type: 'text', text: 'What is this?' },
    { type: 'image_url', image_url: { url } },
  ];
  return { model: MODEL, messages: [{ role: 'user', content }] };
}
