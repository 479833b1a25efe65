/**
 * The bytes both ends agree on: what the client asks and what the engine answers.
 * Shapes  chatRequest(…) → one HTTP request · unaryAnswer() / streamAnswer(n) → the engine's bodies ·
 *         ENGINE_GETS: what it answers to questions about itself · chunked(bytes) → one HTTP chunk
 * Units   bytes; a stream of n tokens is n chat chunks, one usage chunk and [DONE]: n + 2 SSE frames
 * Cost    built once per process or job, never per request
 * Source  field order of the openai-python client (messages, model, …, stream last) and of vLLM's chunks
 */
export const MODEL = 'bench-model';
/** Content chunks of one streamed answer, apart from usage and [DONE]. */
export const TOKENS = 64;
export const DONE_FRAME = Buffer.from('data: [DONE]\n\n');

const CREATED = 1_764_000_000;
const ID = 'chatcmpl-4b8d1f0c6a5e4d2f9c3b7a1e8d6f5c40';
const USAGE = { prompt_tokens: 212, total_tokens: 276, completion_tokens: 64, prompt_tokens_details: null };
const WORDS = 'the quick brown fox jumps over the lazy dog while a shepherd counts every request ';

/** Path → JSON, as vLLM answers it. */
export const ENGINE_GETS: Readonly<Record<string, object>> = {
  '/health': {},
  '/version': { version: '0.11.0' },
  '/v1/models': {
    object: 'list',
    data: [{ id: MODEL, object: 'model', created: CREATED, owned_by: 'vllm', root: MODEL, max_model_len: 131072 }],
  },
};

export interface RequestShape {
  readonly port: number;
  readonly bodyBytes: number;
  readonly stream: boolean;
  /** Tells the requests of one run apart; absent by default. */
  readonly user?: string;
}

/** One POST of exactly `bodyBytes` bytes of JSON, headers before it as an SDK sends them. */
export function chatRequest(shape: RequestShape): Buffer {
  const body = chatBody(shape);
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    `host: 127.0.0.1:${shape.port}`,
    'user-agent: smg-bench/1',
    'accept: application/json',
    'content-type: application/json',
    `content-length: ${body.length}`,
    '',
    '',
  ].join('\r\n');
  return Buffer.concat([Buffer.from(head), body]);
}

function chatBody({ bodyBytes, stream, user }: RequestShape): Buffer {
  const fill = (content: string) =>
    JSON.stringify({
      messages: [
        { role: 'system', content: 'You are a helpful assistant.' },
        { role: 'user', content },
      ],
      model: MODEL,
      max_tokens: TOKENS,
      temperature: 0.7,
      ...(user !== undefined && { user }),
      stream,
    });
  const room = bodyBytes - fill('').length;
  return Buffer.from(fill(WORDS.repeat(Math.ceil(room / WORDS.length)).slice(0, Math.max(0, room))));
}

export function chunked(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

/** The unary answer, about 300 bytes. */
export function unaryAnswer(): Buffer {
  const message = { role: 'assistant', content: 'Every request was counted.' };
  return Buffer.from(
    JSON.stringify({
      id: ID,
      object: 'chat.completion',
      created: CREATED,
      model: MODEL,
      choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }],
      usage: USAGE,
    }),
  );
}

/** SSE frames of a stream of `tokens` content chunks, each about 230 bytes and numbered `t000001`, … */
export function streamAnswer(tokens: number): Buffer[] {
  const frames: Buffer[] = [];
  for (let index = 1; index <= tokens; index++) frames.push(frame([choice(index, tokens)]));
  frames.push(frame([], USAGE), DONE_FRAME);
  return frames;
}

function choice(index: number, tokens: number): object {
  const delta = { content: ` t${String(index).padStart(6, '0')}` };
  return { index: 0, delta, logprobs: null, finish_reason: index === tokens ? 'stop' : null };
}

function frame(choices: readonly object[], usage?: object): Buffer {
  const base = { id: ID, object: 'chat.completion.chunk', created: CREATED, model: MODEL };
  return Buffer.from(`data: ${JSON.stringify({ ...base, choices, ...(usage && { usage }) })}\n\n`);
}
