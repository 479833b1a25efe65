/**
 * Finding the frames of an event stream, beside not looking at all.
 * Shapes  sseContests() → one with an event in each read, one with reads of 64 KB that cut events anywhere
 * Units   ns for one event of about 230 bytes
 */
import { SseTail } from '../../src/protocols/sse-tail.ts';
import { SseFramer } from '../../src/protocols/sse.ts';
import { streamAnswer } from '../load/wire.ts';
import type { Contest } from './race.ts';

const EVENTS = 2_048;
const READ_BYTES = 64 * 1024;

export function sseContests(): Contest[] {
  const frames = streamAnswer(EVENTS);
  const bytes = Buffer.concat(frames);
  const reads = Array.from({ length: Math.ceil(bytes.length / READ_BYTES) }, (_, index) =>
    bytes.subarray(index * READ_BYTES, (index + 1) * READ_BYTES),
  );
  return [
    contestOf('event that is a read of its own', frames, 1),
    contestOf('event in a read of 64 KB', reads, frames.length / reads.length),
  ];
}

function contestOf(name: string, reads: readonly Buffer[], units: number): Contest {
  const framer = new SseFramer();
  const tail = new SseTail();
  return {
    name,
    units,
    contenders: [
      {
        name: 'no framing',
        run(times) {
          let length = 0;
          for (let i = 0; i < times; i++) length += (reads[i % reads.length] as Buffer).length;
          return length;
        },
      },
      {
        name: 'SseFramer',
        run(times) {
          let length = 0;
          const emit = (frame: Buffer) => {
            length += frame.length;
          };
          for (let i = 0; i < times; i++) framer.push(reads[i % reads.length] as Buffer, emit);
          return length;
        },
      },
      {
        name: 'SseTail',
        run(times) {
          let length = 0;
          for (let i = 0; i < times; i++) length += tail.push(reads[i % reads.length] as Buffer).length;
          return length;
        },
      },
    ],
  };
}
