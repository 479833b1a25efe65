/**
 * A text file line by line, without ever holding more than one long line.
 * Errors  TraceError, naming the file (and the line, from the first one on)
 */
import { createReadStream } from 'node:fs';

/** A trace that cannot be used. The message is one line and names the file, and the line where there is one. */
export class TraceError extends Error {}

/** A line of a trace: 128 k tokens in blocks of 16 are about 60 KB of ids. */
const MAX_LINE_UNITS = 4 * 1024 * 1024;

export interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
}

/** Lines without their ends; a byte order mark is dropped, empty lines are left out but counted. */
export async function* readLines(path: string, maxUnits = MAX_LINE_UNITS): AsyncGenerator<Line> {
  let number = 0;
  let rest = '';
  for await (const chunk of chunksOf(path)) {
    const pieces = (rest + chunk).split('\n');
    rest = pieces.pop() ?? '';
    for (const piece of pieces) yield* line(piece, ++number);
    // Without this a file that has no line ends would be held whole.
    if (rest.length > maxUnits) throw new TraceError(`${path}, line ${number + 1}: longer than ${maxUnits} characters`);
  }
  yield* line(rest, number + 1);
}

function* line(raw: string, number: number): Generator<Line> {
  const text = (number === 1 ? raw.replace(/^\uFEFF/, '') : raw).trim();
  if (text !== '') yield { text, number };
}

async function* chunksOf(path: string): AsyncGenerator<string> {
  try {
    for await (const chunk of createReadStream(path, 'utf8')) yield String(chunk);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : String(code);
    throw new TraceError(`${path}: ${why}`);
  }
}
