/**
 * Both ends of the slow-clients scenario: a worker that pushes as fast as it is let, and clients that stop reading
 * after the head of their answer, until they are told to read on.
 * Shapes  IPC { ports } once the worker listens; IPC { open } → IPC { standstill } when nothing has moved for 2 s;
 *         IPC { readOn: true } → IPC { result } when every stream has ended
 * Units   bytes on the wire (chunk framing included) for what moved; the body is compared byte by byte
 * Errors  counted per stream, with the first reasons in words
 * Owner   bench/rig; ends with its parent (IPC disconnect)
 */
import { connect, createServer, type Socket } from 'node:net';
import { MessageReader } from '../load/message-reader.ts';
import { chatRequest, chunked, ENGINE_GETS, streamAnswer } from '../load/wire.ts';

interface OpenJob {
  readonly port: number;
  readonly streams: number;
}

export type SlowJob = { readonly open: OpenJob } | { readonly readOn: true };

export interface Standstill {
  /** Clients that have the head of their answer. */
  readonly heads: number;
  /** Taken from the worker by its kernel. */
  readonly acceptedBytes: number;
  /** Streams in which the worker waits to write more. */
  readonly heldBack: number;
  /** Read by the clients before they stopped. */
  readonly readBytes: number;
}

export interface SlowResult {
  readonly complete: number;
  readonly broken: number;
  readonly reasons: readonly string[];
}

const BODY_BYTES = 1024 * 1024;
const WRITE_BYTES = 4 * 1024;
const STILL_MS = 2_000;
const OPEN_LIMIT_MS = 30_000;
const POLL_MS = 100;
const MAX_REASONS = 5;

const FRAME_BYTES = streamAnswer(1)[0]?.length ?? 1;
const FRAMES = streamAnswer(Math.ceil(BODY_BYTES / FRAME_BYTES));
const BODY = Buffer.concat(FRAMES);
const HEAD = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n',
);
/** The first event goes alone, so that the answer begins; then blocks that are cut anywhere, as a fast worker's are. */
const WRITES = [HEAD, ...[BODY.subarray(0, FRAME_BYTES), ...blocksOf(BODY.subarray(FRAME_BYTES))].map(chunked)];
WRITES.push(Buffer.from('0\r\n\r\n'));
/** Reads are handled before the next one starts, so that all clients can share their buffer. Small: they stop soon. */
const SHARED = Buffer.allocUnsafe(4 * 1024);

function blocksOf(bytes: Buffer): Buffer[] {
  const blocks = Math.ceil(bytes.length / WRITE_BYTES);
  return Array.from({ length: blocks }, (_, index) => bytes.subarray(index * WRITE_BYTES, (index + 1) * WRITE_BYTES));
}

/** The worker's side of one stream. */
class Push {
  readonly #socket: Socket;
  acceptedBytes = 0;
  next = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** One write at a time: what is not counted has not been taken. */
  write(): void {
    const bytes = WRITES[this.next];
    if (bytes === undefined) return;
    this.#socket.write(bytes, (error) => {
      if (error) return;
      this.acceptedBytes += bytes.length;
      this.next++;
      this.write();
    });
  }
}

/** The client's side of one stream. */
class Reader {
  readonly #onSettled: (reason: string | undefined) => void;
  #socket: Socket | undefined;
  #status = '';
  #bodyBytes = 0;
  #isReadingOn = false;
  #isSettled = false;
  readBytes = 0;

  constructor(onSettled: (reason: string | undefined) => void) {
    this.#onSettled = onSettled;
  }

  get hasHead(): boolean {
    return this.#status !== '';
  }

  open(port: number): void {
    const reader = new MessageReader('response', {
      head: (head) => {
        this.#status = head.slice(9, 12);
      },
      body: (bytes, start, end) => this.#compare(bytes, start, end),
      end: () => this.#settle(this.#wrongness()),
    });
    const callback = (length: number) => {
      this.readBytes += length;
      try {
        reader.push(SHARED, length);
      } catch (error) {
        this.#settle(String(error));
      }
      return this.#isReadingOn || !this.hasHead;
    };
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: SHARED, callback } });
    this.#socket = socket;
    socket.write(chatRequest({ port, bodyBytes: 1024, stream: true }));
    socket.on('error', (error) => this.#settle(error.message));
    socket.on('close', () => this.#settle(`closed after ${this.#bodyBytes} bytes`));
  }

  readOn(): void {
    this.#isReadingOn = true;
    this.#socket?.resume();
  }

  #compare(bytes: Buffer, start: number, end: number): void {
    const at = this.#bodyBytes;
    this.#bodyBytes += end - start;
    if (this.#bodyBytes > BODY.length || BODY.compare(bytes, start, end, at, this.#bodyBytes) !== 0) {
      this.#settle(`other bytes than the worker's after byte ${at}`);
    }
  }

  #wrongness(): string | undefined {
    if (this.#status !== '200') return `status ${this.#status}`;
    return this.#bodyBytes === BODY.length ? undefined : `${this.#bodyBytes} bytes of ${BODY.length}`;
  }

  #settle(reason: string | undefined): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#socket?.destroy();
    this.#onSettled(reason);
  }
}

const pushes: Push[] = [];
const readers: Reader[] = [];
const reasons: string[] = [];
let complete = 0;
let broken = 0;

function open({ port, streams }: OpenJob): void {
  const onSettled = (reason: string | undefined) => {
    if (reason === undefined) complete++;
    else broken++;
    if (reason !== undefined && reasons.length < MAX_REASONS) reasons.push(reason);
    if (complete + broken === streams) process.send?.({ result: { complete, broken, reasons } });
  };
  for (let index = 0; index < streams; index++) {
    const reader = new Reader(onSettled);
    readers.push(reader);
    reader.open(port);
  }
  awaitStandstill(streams);
}

function awaitStandstill(streams: number): void {
  const openedAt = performance.now();
  let movedAt = openedAt;
  let last = -1;
  const timer = setInterval(() => {
    const now = performance.now();
    const standstill = standstillNow();
    if (standstill.acceptedBytes !== last) movedAt = now;
    last = standstill.acceptedBytes;
    const isComplete = standstill.heads === streams || now - openedAt > OPEN_LIMIT_MS;
    if (!isComplete || now - movedAt < STILL_MS) return;
    clearInterval(timer);
    process.send?.({ standstill });
  }, POLL_MS);
}

function standstillNow(): Standstill {
  return {
    heads: readers.filter((reader) => reader.hasHead).length,
    acceptedBytes: pushes.reduce((sum, push) => sum + push.acceptedBytes, 0),
    heldBack: pushes.filter((push) => push.next < WRITES.length).length,
    readBytes: readers.reduce((sum, reader) => sum + reader.readBytes, 0),
  };
}

function serve(socket: Socket): void {
  let head = '';
  const reader = new MessageReader('request', {
    head: (text) => {
      head = text;
    },
    body: () => undefined,
    end: () => {
      if (head.startsWith('POST ')) {
        const push = new Push(socket);
        pushes.push(push);
        push.write();
      } else {
        socket.write(getAnswer(head.split(' ')[1] ?? ''));
      }
    },
  });
  socket.on('data', (bytes) => reader.push(bytes));
  socket.on('error', () => socket.destroy());
}

function getAnswer(path: string): string {
  const answer = ENGINE_GETS[path];
  const body = JSON.stringify(answer ?? { detail: 'Not Found' });
  const status = answer === undefined ? '404 Not Found' : '200 OK';
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

const server = createServer({ noDelay: true }, serve);
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  const address = server.address();
  process.send?.({ ports: [typeof address === 'object' && address !== null ? address.port : 0] });
});
process.on('disconnect', () => process.exit(0));
process.on('message', (job: SlowJob) => {
  if ('open' in job) open(job.open);
  else for (const reader of readers) reader.readOn();
});
