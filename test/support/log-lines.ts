/** A process of its own that logs what standard input says and ends: standard output then holds the lines of the log. */
import { text } from 'node:stream/consumers';
import type { LineLevel, LogFields, LogLevel } from '../../src/observability/logging.ts';
import { createLogger } from '../../src/observability/logging.ts';

export interface LogEntry {
  readonly level: LineLevel;
  readonly message: string;
  readonly fields: LogFields;
}

export interface LogJob {
  readonly level: LogLevel;
  readonly json: boolean;
  readonly wallMs: number;
  /** A folder to log to instead of standard output. */
  readonly dir?: string;
  readonly entries: readonly LogEntry[];
}

const job = JSON.parse(await text(process.stdin)) as LogJob;
const logger = createLogger({ level: job.level, json: job.json, dir: job.dir }, () => job.wallMs);
for (const { level, message, fields } of job.entries) logger.log(level, message, fields);
await logger.close();
