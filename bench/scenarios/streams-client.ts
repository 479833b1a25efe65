/**
 * The client of the streams scenario, a process of its own: opens many streams and reads every event of each.
 * Shapes  IPC StreamsJob → IPC { opened } once all streams have their first event → IPC { result: StreamsResult }
 * Units   ms; events are numbered by the engine, so that a lost, doubled or swapped one is seen
 * Errors  counted per stream with the first reasons in words
 */
import { connect } from 'node:net';
import { Histogram } from '../load/histogram.ts';
import { MessageReader } from '../load/message-reader.ts';
import { chatRequest } from '../load/wire.ts';

export interface StreamsJob {
  readonly port: number;
  readonly streams: number;
  readonly events: number;
  readonly opensPerSecond: number;
}

export interface StreamsResult {
  readonly complete: number;
  readonly broken: number;
  readonly reasons: readonly string[];
  readonly events: number;
  readonly gapP50: number;
  readonly gapP99: number;
  readonly gapMax: number;
}

const OPEN_EVERY_MS = 50;
const MAX_REASONS = 5;

const gaps = new Histogram();
const reasons: string[] = [];
let complete = 0;
let broken = 0;
let opened = 0;
let events = 0;

/** Reads one stream to its end. */
class Stream {
  readonly #job: StreamsJob;
  readonly #onSettled: () => void;
  #isSettled = false;
  #status = '';
  #text = '';
  #next = 1;
  #hasUsage = false;
  #lastAt = 0;

  constructor(job: StreamsJob, onSettled: () => void) {
    this.#job = job;
    this.#onSettled = onSettled;
  }

  open(): void {
    const socket = connect({ port: this.#job.port, host: '127.0.0.1', noDelay: true });
    const settle = (reason: string | undefined) => {
      this.#settle(reason);
      socket.destroy();
    };
    const reader = new MessageReader('response', {
      head: (head) => {
        this.#status = head.slice(9, 12);
      },
      body: (bytes, start, end) => this.#onText(bytes.toString('latin1', start, end)),
      end: () => settle(this.#wrongness()),
    });
    socket.on('connect', () => socket.write(chatRequest({ port: this.#job.port, bodyBytes: 1024, stream: true })));
    socket.on('data', (bytes) => {
      try {
        reader.push(bytes);
      } catch (error) {
        settle(String(error));
      }
    });
    socket.on('error', (error) => settle(error.message));
    socket.on('close', () => settle(`closed after event ${this.#next - 1}`));
  }

  #onText(text: string): void {
    this.#text += text;
    for (let end = this.#text.indexOf('\n\n'); end !== -1; end = this.#text.indexOf('\n\n')) {
      this.#onFrame(this.#text.slice(0, end));
      this.#text = this.#text.slice(end + 2);
    }
  }

  #onFrame(frame: string): void {
    const sequence = /" t(\d{6})"/.exec(frame)?.[1];
    if (sequence === undefined) {
      this.#hasUsage ||= frame.includes('"usage":');
      return;
    }
    if (Number(sequence) !== this.#next) this.#settle(`event ${sequence} in place of ${this.#next}`);
    const now = performance.now();
    if (this.#next === 1) opened++;
    else gaps.record(now - this.#lastAt);
    this.#lastAt = now;
    this.#next++;
    events++;
    if (this.#next === 2 && opened === this.#job.streams) process.send?.({ opened });
  }

  #wrongness(): string | undefined {
    if (this.#status !== '200') return `status ${this.#status}`;
    if (this.#next - 1 !== this.#job.events) return `${this.#next - 1} events of ${this.#job.events}`;
    return this.#hasUsage ? undefined : 'no usage chunk';
  }

  #settle(reason: string | undefined): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    if (reason === undefined) complete++;
    else {
      broken++;
      if (reasons.length < MAX_REASONS) reasons.push(reason);
    }
    this.#onSettled();
  }
}

function run(job: StreamsJob): void {
  let started = 0;
  const batch = Math.max(1, Math.round((job.opensPerSecond * OPEN_EVERY_MS) / 1000));
  const report = () => {
    if (complete + broken === job.streams) process.send?.({ result: resultNow() });
  };
  const timer = setInterval(() => {
    for (let index = 0; index < batch && started < job.streams; index++, started++) new Stream(job, report).open();
    if (started === job.streams) clearInterval(timer);
  }, OPEN_EVERY_MS);
}

function resultNow(): StreamsResult {
  const [gapP50, gapP99, gapMax] = [gaps.percentile(50), gaps.percentile(99), gaps.percentile(100)];
  return { complete, broken, reasons, events, gapP50, gapP99, gapMax };
}

process.on('disconnect', () => process.exit(0));
process.on('message', run);
process.send?.({ isReady: true });
