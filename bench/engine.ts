/**
 * The upstream of every benchmark: a process that answers as vLLM would, as cheaply as Node allows.
 * Shapes  argv: --tokens 64 --delay-ms 0 --first-gap-ms 1 --pace-ms 0 → IPC { ports: [a, b] } once it listens;
 *         IPC 'report' → { requests, inFlight, peakInFlight }
 * Units   ms; one frame = one SSE event = one write in an event loop turn of its own
 * Cost    raw node:net: about a quarter of node:http's CPU, so that the proxy stays the bottleneck
 * Owner   bench/rig; ends with its parent (IPC disconnect). Two ports of one process look like two workers.
 * Why a gap after the first token: the first event then reaches the client alone, as after a real prefill;
 *         without it, client and engine on one core would time the engine's whole burst as time to first token.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { MessageReader } from './load/message-reader.ts';
import { chunked, ENGINE_GETS, streamAnswer, TOKENS, unaryAnswer } from './load/wire.ts';

const { values } = parseArgs({
  options: {
    tokens: { type: 'string', default: String(TOKENS) },
    'delay-ms': { type: 'string', default: '0' },
    'first-gap-ms': { type: 'string', default: '1' },
    'pace-ms': { type: 'string', default: '0' },
  },
});
const delayMs = Number(values['delay-ms']);
const firstGapMs = Number(values['first-gap-ms']);
const paceMs = Number(values['pace-ms']);

const UNARY = wholeResponse('application/json', unaryAnswer());
const STREAM_HEAD = Buffer.from(
  'HTTP/1.1 200 OK\r\ndate: Mon, 23 Nov 2026 00:00:00 GMT\r\nserver: uvicorn\r\n' +
    'content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n',
);
const STREAM_CHUNKS = [...streamAnswer(Number(values.tokens)).map(chunked), Buffer.from('0\r\n\r\n')];

const GET_RESPONSES = new Map(Object.entries(ENGINE_GETS).map(([path, body]) => [path, jsonResponse(body)]));
const NOT_FOUND = Buffer.concat([
  Buffer.from('HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: 22\r\n\r\n'),
  Buffer.from('{"detail":"Not Found"}'),
]);

const count = { requests: 0, inFlight: 0, peakInFlight: 0 };

/** One accepted connection; requests on it are answered one at a time. */
class EngineConnection {
  readonly #socket: Socket;
  #chunk = 0;
  #path = '';
  #isPost = false;
  #pieces: Buffer[] = [];
  #inFlight = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    const reader = new MessageReader('request', {
      head: (head) => this.#onHead(head),
      body: (bytes, start, end) => this.#pieces.push(bytes.subarray(start, end)),
      end: () => this.#onRequest(),
    });
    socket.setNoDelay(true);
    socket.on('data', (bytes) => reader.push(bytes));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#settle());
  }

  #onHead(head: string): void {
    const pathStart = head.indexOf(' ') + 1;
    this.#isPost = head.startsWith('POST ');
    this.#path = head.slice(pathStart, head.indexOf(' ', pathStart));
  }

  #onRequest(): void {
    const pieces = this.#pieces;
    this.#pieces = [];
    if (!this.#isPost) {
      this.#socket.write(GET_RESPONSES.get(this.#path) ?? NOT_FOUND);
      return;
    }
    count.requests++;
    this.#inFlight = 1;
    count.peakInFlight = Math.max(count.peakInFlight, ++count.inFlight);
    const isStream = wantsStream(pieces);
    if (delayMs > 0) setTimeout(() => this.#answer(isStream), delayMs);
    else this.#answer(isStream);
  }

  #answer(isStream: boolean): void {
    if (this.#socket.destroyed) return;
    if (!isStream) {
      this.#socket.write(UNARY);
      this.#settle();
      return;
    }
    this.#chunk = 0;
    this.#socket.write(STREAM_HEAD);
    ready.push(this);
    if (ready.length === 1) setImmediate(writeTurn);
  }

  /** Writes one frame and says how the connection goes on. */
  writeNext(): void {
    if (this.#socket.destroyed) return;
    const chunk = STREAM_CHUNKS[this.#chunk++];
    if (chunk !== undefined) this.#socket.write(chunk);
    if (this.#chunk === STREAM_CHUNKS.length) this.#settle();
    else if (paceMs > 0) setTimeout(() => this.writeNext(), paceMs);
    else if (this.#chunk === 1 && firstGapMs > 0) setTimeout(() => resumeWriting(this), firstGapMs);
    else resumeWriting(this);
  }

  #settle(): void {
    count.inFlight -= this.#inFlight;
    this.#inFlight = 0;
  }
}

/** Streams with a frame to write in the next event loop turn. */
let ready: EngineConnection[] = [];

function resumeWriting(connection: EngineConnection): void {
  ready.push(connection);
  if (ready.length === 1) setImmediate(writeTurn);
}

function writeTurn(): void {
  const turn = ready;
  ready = [];
  for (const connection of turn) connection.writeNext();
}

function wantsStream(pieces: readonly Buffer[]): boolean {
  const body = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  if (body === undefined) return false;
  // From the end, where SDKs put it: a scan of a 200 KB prompt would cost more than the rest of the answer.
  const at = body.lastIndexOf('"stream":');
  return at !== -1 && /^"stream":\s*true/.test(body.toString('latin1', at, at + 20));
}

function jsonResponse(body: object): Buffer {
  return wholeResponse('application/json', Buffer.from(JSON.stringify(body)));
}

function wholeResponse(contentType: string, body: Buffer): Buffer {
  const head =
    'HTTP/1.1 200 OK\r\ndate: Mon, 23 Nov 2026 00:00:00 GMT\r\nserver: uvicorn\r\n' +
    `content-length: ${body.length}\r\ncontent-type: ${contentType}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

async function listen(): Promise<number> {
  const server: Server = createServer({ noDelay: true }, (socket) => void new EngineConnection(socket));
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

process.on('disconnect', () => process.exit(0));
process.on('message', () => process.send?.({ ...count }));
const ports = [await listen(), await listen()];
// Started by hand, without a harness, it says on stdout where it listens.
if (process.send === undefined) console.log(JSON.stringify({ ports }));
else process.send({ ports });
