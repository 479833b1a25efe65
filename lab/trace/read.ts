/**
 * Reads a trace file: as a stream, in the form that is named or recognised.
 * Errors  TraceError with file and line; the first bad line ends the reading
 */
import { basename } from 'node:path';
import { AZURE_HEADING, readAzureLine } from './azure.ts';
import type { Trace, TraceCall } from './call.ts';
import { type Line, readLines, TraceError } from './lines.ts';
import { MOONCAKE_BLOCK, readMooncakeLine } from './mooncake.ts';

export type TraceFormat = 'mooncake' | 'azure';

export interface TraceSource {
  readonly path: string;
  readonly format: TraceFormat | 'auto';
}

/** What is held of a trace at most: about 1 GB of blocks, and as much of calls. */
const MAX_BLOCKS = 100_000_000;
const MAX_CALLS = 5_000_000;

/** Calls in the order of their arrival, the first at 0. Memory: 8 bytes for each block of a prompt. */
export async function readTrace({ path, format: wanted }: TraceSource): Promise<Trace> {
  const calls: TraceCall[] = [];
  let format = wanted === 'auto' ? undefined : wanted;
  let blocks = 0;
  for await (const line of readLines(path)) {
    format ??= line.text.startsWith('{') ? 'mooncake' : 'azure';
    if (format === 'azure' && line.number === 1 && AZURE_HEADING.test(line.text)) continue;
    const call = readLine(line, format);
    if (typeof call === 'string') throw new TraceError(`${path}, line ${line.number}: ${call}`);
    blocks += call.promptBlocks;
    calls.push(call);
    if (blocks > MAX_BLOCKS || calls.length > MAX_CALLS) {
      throw new TraceError(
        `${path}, line ${line.number}: too long, the limits are ${MAX_CALLS} calls, ${MAX_BLOCKS} blocks`,
      );
    }
  }
  if (calls.length === 0) throw new TraceError(`${path}: it has no calls`);
  return { name: basename(path), calls: fromZero(calls), blockSize: MOONCAKE_BLOCK, blocksPerHint: 1 };
}

function readLine(line: Line, format: TraceFormat): TraceCall | string {
  return format === 'azure' ? readAzureLine(line.text, line.number) : readMooncakeLine(line.text);
}

function fromZero(calls: readonly TraceCall[]): TraceCall[] {
  const sorted = calls.toSorted((a, b) => a.arrivedMs - b.arrivedMs);
  const startMs = sorted[0]?.arrivedMs ?? 0;
  return sorted.map((call) => ({ ...call, arrivedMs: call.arrivedMs - startMs }));
}
