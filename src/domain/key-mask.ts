/**
 * Takes the key that a worker was asked with out of what the worker says of it: providers quote the beginning and the
 * end of a wrong key, and some quote all of it (behaviour §5). Each run of at least 5 of its characters, beyond the
 * beginning that all keys of a provider have, becomes stars; everything else stays, and so does the length.
 *
 * What the client has sent itself is no secret to it and stays too. Were it changed, whoever sends guesses to a worker
 * that repeats them could see which of them are in a stored key.
 * Cost    nothing until a worker has refused a call; then one pass over its words        Errors  none
 * Source  OpenAI API reference, error codes: 401 with a part of the key in its message
 */
import type { Call } from './call.ts';
import { GatewayError } from './errors.ts';
import type { HeaderList } from './headers.ts';
import { providers } from './providers/index.ts';

/** The shortest run that is taken out: behaviour §5 lets the last four characters be seen. */
const RUN = 5;

const MAX_LOOKS = 64;

/** What every key of a provider begins with; the longest first. */
const SHAPES: readonly string[] = [...providers.flatMap(({ keyShapes }) => keyShapes), 'sk-'].toSorted(
  (a, b) => b.length - a.length,
);

/** What the client has sent. */
type Sent = Pick<Call, 'body' | 'headers' | 'model' | 'upstreamPath'>;

export class KeyMask {
  readonly #key: string | undefined;
  readonly #sent: Sent;
  #runs: Runs | undefined = undefined;
  /** Whether the client has sent a run; looked for once. */
  readonly #looked = new Map<string, boolean>();

  /** `key`: the one that was sent to the worker; undefined for none. */
  constructor(key: string | undefined, sent: Sent) {
    this.#key = key;
    this.#sent = sent;
  }

  /** The same bytes when there is nothing to be taken out, else a copy. */
  bytes(bytes: Buffer): Buffer {
    if (this.#key === undefined) return bytes;
    const text = bytes.toString('latin1');
    const masked = this.text(text);
    return masked === text ? bytes : Buffer.from(masked, 'latin1');
  }

  text(text: string): string {
    if (this.#key === undefined) return text;
    this.#runs ??= new Runs(secretOf(this.#key));
    let masked = '';
    let done = 0;
    for (const [start, end] of this.#runs.in(text)) {
      const run = text.slice(start, end);
      if (this.#wasSent(run)) continue;
      masked += text.slice(done, start) + '*'.repeat(end - start);
      done = end;
    }
    return done === 0 ? text : masked + text.slice(done);
  }

  /** Values of an answer's headers. */
  headers(list: HeaderList): HeaderList {
    if (this.#key === undefined) return list;
    return list.map((text, index) => (index % 2 === 1 ? this.text(text) : text));
  }

  error(error: GatewayError): GatewayError {
    const message = this.text(error.message);
    if (message === error.message) return error;
    const { code, param, retryAfterSeconds, workerId, headers } = error;
    // Without its cause, whose text may be the same.
    return new GatewayError(code, message, {
      ...(param === undefined ? {} : { param }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      ...(workerId === undefined ? {} : { workerId }),
      ...(headers === undefined ? {} : { headers }),
    });
  }

  #wasSent(run: string): boolean {
    let wasSent = this.#looked.get(run);
    if (wasSent === undefined) {
      // Each look goes through the body; a worker that shows so many runs repeats a body that was made for that.
      wasSent = this.#looked.size < MAX_LOOKS && this.#isInCall(run);
      if (this.#looked.size < MAX_LOOKS) this.#looked.set(run, wasSent);
    }
    return wasSent;
  }

  #isInCall(run: string): boolean {
    const { body, model, upstreamPath, headers } = this.#sent;
    if (body.includes(run, 0, 'latin1') || model?.includes(run) || upstreamPath.includes(run)) return true;
    return ECHOED.some((name) => String(headers[name] ?? '').includes(run));
  }
}

/** Client headers that travel and that providers repeat in their errors. */
const ECHOED = ['anthropic-beta', 'anthropic-version', 'openai-organization', 'openai-project', 'openai-beta'];

function secretOf(key: string): string {
  const shape = SHAPES.find((beginning) => key.startsWith(beginning)) ?? '';
  return key.slice(shape.length);
}

/** The runs of a secret in texts. */
class Runs {
  readonly #known = new Set<string>();

  constructor(secret: string) {
    for (let at = 0; at + RUN <= secret.length; at += 1) this.#known.add(secret.slice(at, at + RUN));
  }

  /** Start and exclusive end of each, in order; those that touch are one. Cost O(text). */
  in(text: string): [start: number, end: number][] {
    const found: [start: number, end: number][] = [];
    let last: [start: number, end: number] | undefined;
    for (let at = 0; at + RUN <= text.length; at += 1) {
      if (!this.#known.has(text.slice(at, at + RUN))) continue;
      if (last && at <= last[1]) last[1] = at + RUN;
      else {
        last = [at, at + RUN];
        found.push(last);
      }
    }
    return found;
  }
}
