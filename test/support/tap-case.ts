/** The fixture streams of `src/protocols/<name>/fixtures/<case>/` with what a tap must say of them. */
import { readdirSync, readFileSync } from 'node:fs';
import type { ProtocolName } from '../../src/domain/call.ts';
import type { Usage } from '../../src/domain/usage.ts';
import type { FrameKind } from '../../src/protocols/protocol.ts';
import { SseFramer } from '../../src/protocols/sse.ts';

export interface TapCase {
  readonly protocol: ProtocolName;
  readonly name: string;
  readonly bytes: Buffer;
  readonly expected: {
    /** One for each frame. */
    readonly kinds: readonly FrameKind[];
    /** The frame with which the stream says that it is complete; null when it never does. */
    readonly completeAt: number | null;
    readonly usage: Usage | null;
    readonly failure: string | null;
  };
}

const ROOT = new URL('../../src/protocols/', import.meta.url);

export function tapCases(): TapCase[] {
  const entries = readdirSync(ROOT, { recursive: true, encoding: 'utf8' });
  const folders = entries.flatMap((path) => /^(.+)\/fixtures\/([^/]+)\/upstream\.sse$/.exec(path) ?? []);
  return Array.from({ length: folders.length / 3 }, (_, i) => {
    const [path = '', protocol = '', name = ''] = folders.slice(3 * i, 3 * i + 3);
    const folder = new URL(path.replace('upstream.sse', ''), ROOT);
    return {
      protocol: protocol as ProtocolName,
      name,
      bytes: readFileSync(new URL('upstream.sse', folder)),
      expected: JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as TapCase['expected'],
    };
  });
}

/** The frames of a whole stream; an unfinished one comes last. */
export function framesOf(bytes: Buffer): Buffer[] {
  const framer = new SseFramer();
  const frames: Buffer[] = [];
  framer.push(bytes, (frame) => frames.push(frame));
  const rest = framer.takeRest();
  return rest.length > 0 ? [...frames, rest] : frames;
}

/** A frame of JSON, under an event name if one is given. */
export function frameOf(value: unknown, event?: string): Buffer {
  const data = typeof value === 'string' ? value : JSON.stringify(value);
  return Buffer.from(`${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`);
}
