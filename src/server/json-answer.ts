/** An answer of the control plane as data; the edge writes it. */
import type { HeaderList } from '../domain/headers.ts';
import type { ReplyWriter } from '../domain/ports.ts';

export interface JsonAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  readonly headers: HeaderList;
}

/** An answer that goes on until the client leaves or the gateway ends: `open` writes to it, and ends it. */
export interface StreamAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly headers: HeaderList;
  /** Resolves when the stream is over. `signal` is aborted when the client leaves or the gateway shuts down. */
  open(writer: ReplyWriter, signal: AbortSignal): Promise<void>;
}

export type ControlAnswer = JsonAnswer | StreamAnswer;

export function json(status: number, value: unknown, headers: HeaderList = []): JsonAnswer {
  return { status, contentType: 'application/json', body: Buffer.from(JSON.stringify(value)), headers };
}

export function text(status: number, value: string): JsonAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: Buffer.from(value), headers: [] };
}
