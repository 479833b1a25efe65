/**
 * Reading model and stream off a body, beside parsing all of it.
 * Shapes  peekContests() → one for each size of body
 * Why     turns of prose and code: quotes and line ends in a prompt are escaped, and each of them stops the scan
 */
import { peek } from '../../src/protocols/peek.ts';
import type { Contest } from './race.ts';

const SIZES = { '1 KB': 1_024, '20 KB': 20 * 1_024, '200 KB': 200 * 1_024, '5 MB': 5 * 1_024 * 1_024 };
const TURN =
  'Please look at this function – it returns "undefined" for an empty list, and the caller does not expect that:\n\n' +
  '```ts\nfunction last(items: string[]): string {\n  return items[items.length - 1] ?? "nothing";\n}\n```\n' +
  'The shepherd counts every request that passes the gate, and at nightfall none of them may be missing. '.repeat(6);

export function peekContests(): Contest[] {
  return Object.entries(SIZES).map(([size, bytes]) => contestOf(size, chatBody(bytes)));
}

/** A chat of about so many bytes; the openai SDK writes the messages first, so that the model stands at the end. */
function chatBody(bytes: number): Buffer {
  const turns = Math.ceil(bytes / (TURN.length + 40));
  const content = TURN.slice(0, Math.ceil(bytes / turns) - 40);
  const messages = Array.from({ length: turns }, (_, turn) => ({
    role: turn % 2 === 0 ? 'user' : 'assistant',
    content,
  }));
  return Buffer.from(JSON.stringify({ messages, model: 'llama-3.1-8b', temperature: 0.7, stream: true }));
}

function contestOf(size: string, body: Buffer): Contest {
  return {
    name: `model of a ${size} body`,
    contenders: [
      {
        name: 'JSON.parse(toString)',
        run(times) {
          let length = 0;
          for (let i = 0; i < times; i++) length += (JSON.parse(body.toString()) as { model: string }).model.length;
          return length;
        },
      },
      {
        name: 'src/protocols/peek',
        run(times) {
          let length = 0;
          for (let i = 0; i < times; i++) length += peek(body).model?.length ?? 0;
          return length;
        },
      },
    ],
  };
}
