/** An answer of the control plane as data; the edge writes it. */
import type { HeaderList } from '../domain/headers.ts';

export interface JsonAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  readonly headers: HeaderList;
}

export function json(status: number, value: unknown, headers: HeaderList = []): JsonAnswer {
  return { status, contentType: 'application/json', body: Buffer.from(JSON.stringify(value)), headers };
}

export function text(status: number, value: string): JsonAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: Buffer.from(value), headers: [] };
}
