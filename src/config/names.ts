/** How one option is called in each place: flag, environment variable, file key. Owns spelling; knows no option. */
import { nearest } from '../base/nearest.ts';

function words(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** `maxPayloadSize` → `--max-payload-size`. */
export function flagOf(key: string): string {
  return `--${words(key).replaceAll(' ', '-')}`;
}

/** `maxPayloadSize` → `SMG_MAX_PAYLOAD_SIZE`. */
export function variableOf(key: string): string {
  return `SMG_${fileKeyOf(key).toUpperCase()}`;
}

/** `maxPayloadSize` → `max_payload_size`. */
export function fileKeyOf(key: string): string {
  return words(key).replaceAll(' ', '_');
}

/** `; did you mean X?`, or nothing: the end of a problem line. */
export function suggestion(word: string, candidates: Iterable<string>): string {
  const near = nearest(word, candidates);
  return near === undefined ? '' : `; did you mean ${near}?`;
}
