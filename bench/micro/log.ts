/**
 * The log line of a call as text and as JSON, beside only gathering its fields.
 * Shapes  logContests(folder) → one; the day's log file in the folder is a link to /dev/null
 * Units   ns for one line, its share of the writes included
 */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { CallRecord } from '../../src/domain/record.ts';
import { createLogger, type LogFields, type Logger } from '../../src/observability/logging.ts';
import { lineOf } from '../../src/observability/telemetry.ts';
import { records } from './metrics.ts';
import type { Contender, Contest } from './race.ts';

/** Lines between two turns of the event loop: writes happen there, and a busy gateway comes by as often. */
const LINES_PER_TURN = 64;

/** Kept outside, or V8 would not make the object at all. */
let lastFields: LogFields = {};

export function logContests(folder: string): Contest[] {
  const text = createLogger({ level: 'info', json: false, dir: nowhere(folder, 'text') }, Date.now);
  const json = createLogger({ level: 'info', json: true, dir: nowhere(folder, 'json') }, Date.now);
  const calls = records();
  const fieldsOnly: Contender = {
    name: 'its fields only',
    run(times) {
      for (let i = 0; i < times; i++) lastFields = lineOf(calls[i % calls.length] as CallRecord);
      return Object.keys(lastFields).length;
    },
  };
  return [
    {
      name: 'log line of a call',
      contenders: [fieldsOnly, contenderOf('text', text), contenderOf('JSON (pino)', json)],
      close: async () => {
        await text.close();
        await json.close();
      },
    },
  ];
}

function contenderOf(name: string, logger: Logger): Contender {
  const calls = records();
  return {
    name,
    async run(times) {
      for (let i = 0; i < times; i++) {
        logger.log('info', 'call', lineOf(calls[i % calls.length] as CallRecord));
        if (i % LINES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      return times;
    },
  };
}

function nowhere(folder: string, name: string): string {
  const dir = join(folder, name);
  mkdirSync(dir, { recursive: true });
  symlinkSync('/dev/null', join(dir, `smg.${new Date().toISOString().slice(0, 10)}`));
  return dir;
}
