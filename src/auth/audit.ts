/** The audit log: one line for each change that was made or tried through the control plane. Never a key. */
import type { AuditEntry, AuditLog } from '../domain/ports.ts';

/** Where the lines go; values are escaped there. */
export type AuditSink = (fields: Readonly<Record<string, string | number | undefined>>) => void;

/** Ids come from paths, so they are as long as a client likes. */
const MAX_TARGET = 128;

export class LineAudit implements AuditLog {
  readonly #sink: AuditSink;

  constructor(sink: AuditSink) {
    this.#sink = sink;
  }

  write({ principal, requestId, method, route, target, status, error }: AuditEntry): void {
    this.#sink({
      request_id: requestId,
      who: principal.kind === 'key' ? principal.name : 'anonymous',
      method,
      path: route,
      target: target === '' ? undefined : target.slice(0, MAX_TARGET),
      status,
      outcome: outcomeOf(status),
      error,
    });
  }
}

function outcomeOf(status: number): string {
  if (status === 401 || status === 403) return 'denied';
  return status < 400 ? 'done' : 'failed';
}

export const noAudit: AuditLog = { write: () => undefined };
