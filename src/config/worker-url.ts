/** A worker's URL on the command line or in the file; what is accepted and in which form is domain/worker-url.ts. */
import { readWorkerUrl as readUrl } from '../domain/worker-url.ts';
import { bad, good, type Reading, show } from './option.ts';

/** Reads one worker URL; the value has the normalised form. */
export function readWorkerUrl(raw: unknown): Reading<string> {
  const reading = readUrl(typeof raw === 'string' ? raw : '');
  return reading.ok ? good(reading.url) : bad(`${show(raw)} ${reading.problem}`);
}
