/**
 * The log: JSON lines through pino, or lines for people. Writes are buffered and leave the process in blocks.
 * Values come from requests and workers, so each is written in a form that stays on its line.
 */
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { LineBlock } from './line-block.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
/** Lines of the audit log are written whatever the least level is. */
export type LineLevel = LogLevel | 'audit';
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Logger {
  /** True when lines of this level are written: lets a caller spare the making of a line. */
  isOn(level: LogLevel): boolean;
  log(level: LineLevel, message: string, fields: LogFields): void;
  /** Resolves when what is buffered has been written; what is logged afterwards is lost. */
  close(): Promise<void>;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly json: boolean;
  /** A folder for `smg.YYYY-MM-DD` files; undefined = standard output. */
  readonly dir: string | undefined;
}

const ORDER: Readonly<Record<LineLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50, audit: 60 };
/** Lines leave in blocks of this size: handing one to the file costs as much as making fifty lines. */
const BLOCK_BYTES = 128 * 1024;
/** The longest time that a line waits for its block. */
const FLUSH_MS = 250;

interface Sink {
  /** Lets `write` put one line into the present block; the line end is added. */
  line(write: (block: LineBlock) => void): void;
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

type Write = (level: LineLevel, message: string, fields: LogFields) => void;

function jsonWriter(sink: Sink, level: LogLevel): Write {
  const options = {
    level,
    customLevels: { audit: ORDER.audit },
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = pino(options, { write: (line: string) => sink.line((block) => block.text(line.trimEnd())) });
  return (at, message, fields) => logger[at](fields, message);
}

/** The start of an ISO time down to the second, with its point; made once a second. */
function createSeconds(): (wallMs: number) => string {
  let second = -1;
  let prefix = '';
  return (wallMs) => {
    const at = Math.floor(wallMs / 1_000);
    if (at !== second) {
      second = at;
      prefix = new Date(at * 1_000).toISOString().slice(0, 20);
    }
    return prefix;
  };
}

const HEADS: Readonly<Record<LineLevel, string>> = {
  debug: 'Z DEBUG ',
  info: 'Z INFO  ',
  warn: 'Z WARN  ',
  error: 'Z ERROR ',
  audit: 'Z AUDIT ',
};

function textWriter(sink: Sink, wallTime: () => number): Write {
  const seconds = createSeconds();
  return (level, message, fields) => {
    const now = wallTime();
    sink.line((block) => {
      block.text(seconds(now));
      block.milliseconds(Math.floor(now) % 1_000);
      block.text(HEADS[level]);
      block.text(message);
      for (const name in fields) writeField(block, name, fields[name]);
    });
  };
}

function writeField(block: LineBlock, name: string, value: LogFields[string]): void {
  if (value === undefined) return;
  block.name(name);
  if (typeof value === 'number') block.number(value);
  else block.word(String(value));
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

const LOST: Sink = { line: () => undefined, close: () => Promise.resolve() };

function openSink(fd: number): Sink {
  const destination = pino.destination({ dest: fd, sync: false, contentMode: 'buffer' });
  // A full disk or a closed pipe must not end the gateway: lines are lost until writing works again.
  destination.on('error', () => undefined);
  const block = new LineBlock(BLOCK_BYTES + 16 * 1024);
  const flush = () => {
    // The type knows strings only; in this mode the destination takes bytes.
    if (block.length > 0) destination.write(block.take() as unknown as string);
  };
  const timer = setInterval(flush, FLUSH_MS).unref();
  let isOpen = true;
  return {
    line: (write) => {
      if (!isOpen) return;
      write(block);
      block.text('\n');
      if (block.length >= BLOCK_BYTES) flush();
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
  /** The ends of earlier days' files. */
  #closing: Promise<unknown> = Promise.resolve();

  constructor(dir: string, wallTime: () => number) {
    this.#dir = dir;
    this.#wallTime = wallTime;
  }

  line(write: (block: LineBlock) => void): void {
    const now = this.#wallTime();
    const day = Math.floor(now / DAY_MS);
    if (day !== this.#day) {
      if (this.#sink) this.#closing = Promise.all([this.#closing, this.#sink.close()]);
      this.#sink = openFile(this.#dir, `smg.${new Date(now).toISOString().slice(0, 10)}`);
      this.#day = day;
    }
    this.#sink?.line(write);
  }

  async close(): Promise<void> {
    await Promise.all([this.#closing, this.#sink?.close()]);
  }
}
