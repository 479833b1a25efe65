/**
 * The clocks of one attempt as pure arithmetic: which limit ends the present phase, and when?
 * The connect clock is the connector's own; here are response headers, first content, silence, and the whole call.
 * The whole-call limit does not cut a stream that is alive: it holds until the first content of a stream only.
 */
export interface ClockOptions {
  /** Each in milliseconds; 0 = off. */
  readonly headersMs: number;
  readonly firstContentMs: number;
  readonly idleMs: number;
  readonly callMs: number;
}

export type Phase = 'headers' | 'first_content' | 'streaming';

export interface PhaseTimes {
  readonly phase: Phase;
  readonly isStream: boolean;
  readonly callStartedAt: number;
  readonly sentAt: number;
  readonly lastByteAt: number;
}

function limit(from: number, ms: number): number {
  return ms > 0 ? from + ms : Number.POSITIVE_INFINITY;
}

/** The moment at which the attempt has waited too long, or Infinity. */
export function deadlineOf(options: ClockOptions, times: PhaseTimes): number {
  const whole = limit(times.callStartedAt, options.callMs);
  switch (times.phase) {
    case 'headers':
      return Math.min(whole, limit(times.sentAt, options.headersMs));
    case 'first_content': {
      // A long think with heartbeats is alive: silence counts from the last byte, content from the sending.
      const silence = limit(times.lastByteAt, options.idleMs);
      const content = limit(times.sentAt, options.firstContentMs);
      return Math.min(whole, silence, content);
    }
    case 'streaming':
      return Math.min(times.isStream ? Number.POSITIVE_INFINITY : whole, limit(times.lastByteAt, options.idleMs));
  }
}
