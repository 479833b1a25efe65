/** One worker of the configuration file: the fields of `POST /workers`, checked when they are read. */
import { isObject, problemText } from '../domain/fields.ts';
import { readWorkerSpec } from '../domain/worker-spec.ts';
import { bad, good, type Kind, type Reading, show } from './option.ts';

export interface WorkerEntry {
  /** Normalised. */
  readonly url: string;
  /** As given, and known to be good; a spec is made of it once the defaults are known. May hold a key. */
  readonly fields: unknown;
  /** What may have been meant otherwise. */
  readonly doubts: readonly string[];
}

/** What counts for fields that are not given has no part in whether the others are good. */
const ANY_DEFAULTS = { apiKey: undefined, maxInFlight: 0, origin: 'start_up' } as const;

export const workerEntry: Kind<WorkerEntry> = {
  accepts: 'a URL, or an object with the fields of `POST /workers`',
  placeholder: 'worker',
  secret: true,
  choices: [],
  read(raw): Reading<WorkerEntry> {
    const fields = typeof raw === 'string' ? { url: raw } : raw;
    const reading = readWorkerSpec(fields, ANY_DEFAULTS);
    if (reading.ok) return good(Object.freeze({ url: reading.spec.url, fields, doubts: reading.doubts }));
    const url = isObject(fields) && typeof fields['url'] === 'string' ? ` ${show(fields['url'])}` : '';
    return bad(`worker${url}: ${problemText(reading.problems)}`);
  },
};
