/**
 * What translation costs, beside reading and writing the same bytes as JSON and nothing else.
 * Shapes  translationContests() → requests of three sizes, and the events of a stream, in the directions that are used most
 * Units   ns for one request, and for one event of the worker's stream
 */
import type { GenerationEvent } from '../../src/domain/generation-event.ts';
import type { GenerationRequest } from '../../src/domain/generation.ts';
import { anthropic } from '../../src/domain/providers/anthropic.ts';
import { gemini } from '../../src/domain/providers/gemini.ts';
import { openai } from '../../src/domain/providers/openai.ts';
import type { Provider } from '../../src/domain/providers/provider.ts';
import type { Codec } from '../../src/protocols/hub/codec.ts';
import { protocols } from '../../src/protocols/index.ts';
import { readFrame, SseFramer } from '../../src/protocols/sse.ts';
import type { Contest } from './race.ts';

const FACTS = { model: 'claude-sonnet-4-5', isStream: true, headers: {} };
const EVENTS = 500;

function codec(name: 'openai-chat' | 'anthropic-messages' | 'openai-responses' | 'gemini'): Codec {
  const { codec: own } = protocols[name];
  if (!own) throw new Error(`${name} has no codec`);
  return own;
}

/** A chat of so many bytes: turns of prose, a tool, one call and its result. */
function chatBody(bytes: number): Buffer {
  const turns: unknown[] = [{ role: 'system', content: 'Be brief.' }];
  for (let size = 0; size < bytes; size += 500) {
    const role = turns.length % 2 === 1 ? 'user' : 'assistant';
    turns.push({ role, content: 'All work and no play makes a dull day. '.repeat(12) });
  }
  const call = { id: 'call_1', type: 'function', function: { name: 'look_up', arguments: '{"word":"day"}' } };
  turns.push({ role: 'assistant', content: null, tool_calls: [call] });
  turns.push({ role: 'tool', tool_call_id: 'call_1', content: 'meaning' });
  const parameters = { type: 'object', properties: { word: { type: 'string' } } };
  const tools = [{ type: 'function', function: { name: 'look_up', parameters } }];
  return Buffer.from(JSON.stringify({ model: 'm', max_completion_tokens: 900, tools, messages: turns, stream: true }));
}

function requestContest(bytes: number, [name, provider]: readonly [Parameters<typeof codec>[0], Provider]): Contest {
  const body = chatBody(bytes);
  const from = codec('openai-chat');
  const to = codec(name);
  const target = { provider, model: FACTS.model, maxOutputTokens: undefined };
  return {
    name: `chat of ${Math.round(body.length / 1_024)} KB to ${name}`,
    contenders: [
      {
        name: 'JSON.parse and stringify',
        run(times) {
          let length = 0;
          for (let i = 0; i < times; i++) length += Buffer.from(JSON.stringify(JSON.parse(body.toString()))).length;
          return length;
        },
      },
      {
        name: 'decode and encode',
        run(times) {
          let length = 0;
          for (let i = 0; i < times; i++) {
            const { request } = from.decodeRequest(body, { ...FACTS, model: undefined });
            length += to.encodeRequest(request, target).body.length;
          }
          return length;
        },
      },
    ],
  };
}

/** A stream of words as the worker's API has it: made by its own encoder, so that only its form is measured. */
function streamOf(name: Parameters<typeof codec>[0], request: GenerationRequest): Buffer {
  const parts: Buffer[] = [];
  const encoder = codec(name).createEncoder(answerFacts(request));
  const emit = (part: Buffer) => parts.push(part);
  const push = (event: GenerationEvent) => encoder.push(event, emit);
  push({ type: 'start', id: 'id_1', model: 'm', createdSeconds: 1_700_000_000 });
  for (let i = 0; i < EVENTS; i++) push({ type: 'text-delta', choice: 0, text: ' word', logprobs: undefined });
  push({ type: 'finish', choice: 0, reason: 'stop', stopSequence: undefined, detail: undefined });
  push({ type: 'end' });
  encoder.end(emit);
  return Buffer.concat(parts);
}

function answerFacts(request: GenerationRequest) {
  return {
    model: 'm',
    createdSeconds: 1_700_000_000,
    newId: (prefix: string) => `${prefix}1`,
    request,
    isEventStream: true,
  };
}

type Pair = readonly [from: Parameters<typeof codec>[0], to: Parameters<typeof codec>[0]];

/** Reads of about ten events, as a busy worker's socket gives them. */
function streamContest([from, to]: Pair): Contest {
  const { request } = codec('openai-chat').decodeRequest(chatBody(500), { ...FACTS, model: undefined });
  const bytes = streamOf(from, request);
  const size = Math.ceil(bytes.length / (EVENTS / 10));
  const reads = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
  return {
    name: `event of ${from} for a client of ${to}`,
    units: EVENTS,
    contenders: [
      {
        name: 'JSON.parse and stringify',
        run(times) {
          let length = 0;
          const onFrame = (frame: Buffer) => {
            const { data } = readFrame(frame);
            if (data?.startsWith('{')) length += Buffer.from(`data: ${JSON.stringify(JSON.parse(data))}\n\n`).length;
          };
          for (let i = 0; i < times; i++) {
            const framer = new SseFramer();
            for (const read of reads) framer.push(read, onFrame);
          }
          return length;
        },
      },
      {
        name: 'decode and encode',
        run(times) {
          let length = 0;
          const onBytes = (part: Buffer) => {
            length += part.length;
          };
          for (let i = 0; i < times; i++) {
            const decoder = codec(from).createDecoder({ newId: (prefix) => `${prefix}1` });
            const encoder = codec(to).createEncoder(answerFacts(request));
            const onEvent = (event: GenerationEvent) => encoder.push(event, onBytes);
            for (const read of reads) decoder.push(read, onEvent);
            decoder.end(onEvent);
            encoder.end(onBytes);
          }
          return length;
        },
      },
    ],
  };
}

export function translationContests(): Contest[] {
  const targets = [
    ['anthropic-messages', anthropic],
    ['openai-responses', openai],
    ['gemini', gemini],
  ] as const;
  const requests = [1_000, 20_000, 200_000].flatMap((bytes) => targets.map((target) => requestContest(bytes, target)));
  const pairs: readonly Pair[] = [
    ['anthropic-messages', 'openai-chat'],
    ['gemini', 'openai-chat'],
    ['openai-chat', 'anthropic-messages'],
    ['openai-chat', 'openai-responses'],
    ['anthropic-messages', 'gemini'],
  ];
  return [...requests, ...pairs.map(streamContest)];
}
