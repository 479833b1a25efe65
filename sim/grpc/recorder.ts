/**
 * Remembers recent Generate and Embed requests as they were decoded, to prove what a gateway sent. Bounded: the last 32.
 */

import { createHash } from 'node:crypto';
import type { RecordedRequest } from '../control/recorder.ts';
import type { JsonRecord } from '../json.ts';

/** One recorded request. */
export interface RecordedRpc {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Metadata, names in lower case. */
  readonly metadata: readonly (readonly [string, string])[];
  /** Names as in the schema; enums as strings. */
  readonly message: JsonRecord;
}

const MOST_ENTRIES = 32;

/** A bounded memory of requests. */
export class RpcRecorder {
  readonly #entries: RecordedRpc[] = [];

  record(entry: RecordedRpc): void {
    this.#entries.push(entry);
    if (this.#entries.length > MOST_ENTRIES) this.#entries.shift();
  }

  /** The last request (`back` 0), the one before (1), … or undefined. */
  last(back = 0): RecordedRpc | undefined {
    return back < 0 ? undefined : this.#entries.at(-1 - back);
  }
}

/** As the control listener shows requests: the message as JSON for a body. */
export function shownRequest({ path, metadata, message }: RecordedRpc): RecordedRequest {
  const body = Buffer.from(JSON.stringify(message));
  return {
    method: 'POST',
    path,
    headers: metadata,
    bodyBase64: body.toString('base64'),
    sha256: createHash('sha256').update(body).digest('hex'),
  };
}
