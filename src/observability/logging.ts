/**
 * The log: JSON lines through pino, or lines for people. Writes are buffered and leave the process in blocks.
 * Values come from requests and workers, so each is written in a form that stays on its line.
 */
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Logger {
  /** True when lines of this level are written: lets a caller spare the making of a line. */
  isOn(level: LogLevel): boolean;
  log(level: LogLevel, message: string, fields: LogFields): void;
  /** Resolves when what is buffered has been written; what is logged afterwards is lost. */
  close(): Promise<void>;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly json: boolean;
  /** A folder for `smg.YYYY-MM-DD` files; undefined = standard output. */
  readonly dir: string | undefined;
}

const ORDER: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 };
/** Lines leave in blocks of this many characters; a write costs more than the line in it. */
const BLOCK_LENGTH = 32 * 1024;
/** The longest time that a line waits for its block. */
const FLUSH_MS = 250;

interface Sink {
  write(line: string): void;
  close(): Promise<void>;
}

/** `wallTime` gives milliseconds since 1970. */
export function createLogger(options: LogOptions, wallTime: () => number): Logger {
  const sink = options.dir === undefined ? openSink(1) : new DailySink(options.dir, wallTime);
  const write = options.json ? jsonWriter(sink, options.level) : textWriter(sink, wallTime);
  const least = ORDER[options.level];
  return {
    isOn: (level) => ORDER[level] >= least,
    log: (level, message, fields) => {
      if (ORDER[level] >= least) write(level, message, fields);
    },
    close: () => sink.close(),
  };
}

type Write = (level: LogLevel, message: string, fields: LogFields) => void;

function jsonWriter(sink: Sink, level: LogLevel): Write {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = pino(options, { write: (line: string) => sink.write(line) });
  return (at, message, fields) => logger[at](fields, message);
}

/** ISO time; the part down to the second is made once a second. */
function createStamp(): (wallMs: number) => string {
  let second = -1;
  let prefix = '';
  return (wallMs) => {
    const at = Math.floor(wallMs / 1_000);
    if (at !== second) {
      second = at;
      prefix = new Date(at * 1_000).toISOString().slice(0, 20);
    }
    return `${prefix}${String(Math.floor(wallMs) % 1_000).padStart(3, '0')}Z`;
  };
}

function textWriter(sink: Sink, wallTime: () => number): Write {
  const stamp = createStamp();
  return (level, message, fields) => {
    let line = `${stamp(wallTime())} ${level.toUpperCase().padEnd(5)} ${message}`;
    for (const name in fields) {
      const value = fields[name];
      if (value !== undefined) line += ` ${name}=${plain(name, value)}`;
    }
    sink.write(`${line}\n`);
  };
}

/** Text values come from few (routes, workers, models), so their plain forms are kept; ids are not worth it. */
const plainForms = new Map<string, string>();
const MAX_PLAIN_FORMS = 1_024;

/** A value as one word; text with anything unusual in it is quoted and escaped, so that no value can forge a line. */
function plain(name: string, value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value);
  if (name === 'request_id') return plainForm(value);
  const known = plainForms.get(value);
  if (known !== undefined) return known;
  const form = plainForm(value);
  if (plainForms.size >= MAX_PLAIN_FORMS) plainForms.clear();
  plainForms.set(value, form);
  return form;
}

function plainForm(value: string): string {
  if (/^[\w.:/@+,-]+$/.test(value)) return value;
  return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029]/g, '?');
}

/** Opened at once, so that what is logged is written even by a process that ends the moment after. */
function openFile(dir: string, name: string): Sink {
  try {
    mkdirSync(dir, { recursive: true });
    return openSink(openSync(join(dir, name), 'a'));
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    process.stderr.write(
      `smg: cannot write the log ${join(dir, name)}: ${code ?? String(thrown)}; its lines are lost\n`,
    );
    return LOST;
  }
}

const LOST: Sink = { write: () => undefined, close: () => Promise.resolve() };

function openSink(fd: number): Sink {
  const destination = pino.destination({ dest: fd, sync: false });
  // A full disk or a closed pipe must not end the gateway: lines are lost until writing works again.
  destination.on('error', () => undefined);
  let lines: string[] = [];
  let length = 0;
  // Lines are joined here: a line is glued from many pieces, and joining a block of them at once is the cheapest.
  const flush = () => {
    if (length === 0) return;
    destination.write(lines.join(''));
    lines = [];
    length = 0;
  };
  const timer = setInterval(flush, FLUSH_MS).unref();
  let isOpen = true;
  return {
    write: (line) => {
      if (!isOpen) return;
      lines.push(line);
      length += line.length;
      if (length >= BLOCK_LENGTH) flush();
    },
    close: () => {
      if (!isOpen) return Promise.resolve();
      flush();
      isOpen = false;
      clearInterval(timer);
      return new Promise((resolve) => {
        destination.once('close', resolve);
        // A target that cannot be written never closes either.
        destination.once('error', resolve);
        destination.end();
      });
    },
  };
}

const DAY_MS = 86_400_000;

/** One file a day, named by the day in UTC. */
class DailySink implements Sink {
  readonly #dir: string;
  readonly #wallTime: () => number;
  /** Days since 1970. */
  #day = -1;
  #sink: Sink | undefined;

  constructor(dir: string, wallTime: () => number) {
    this.#dir = dir;
    this.#wallTime = wallTime;
  }

  write(line: string): void {
    const now = this.#wallTime();
    const day = Math.floor(now / DAY_MS);
    if (day !== this.#day) {
      void this.#sink?.close();
      this.#sink = openFile(this.#dir, `smg.${new Date(now).toISOString().slice(0, 10)}`);
      this.#day = day;
    }
    this.#sink?.write(line);
  }

  async close(): Promise<void> {
    await this.#sink?.close();
  }
}
