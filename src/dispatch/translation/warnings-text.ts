/** Losses and changes of a translation in one header. */
import type { TranslationWarning } from '../../domain/generation.ts';

/** Proxies limit a head to 8 KiB or so. */
const MAX_LENGTH = 1_024;
/** Room for `; and 12345 more`. */
const REST_LENGTH = 20;
const MAX_ENTRY = 240;

/** `field: reason; field: reason`, in ASCII, at most 1 KiB; how many were left out stands at the end. */
export function warningsText(warnings: readonly TranslationWarning[]): string {
  let text = '';
  for (const [index, { field, reason }] of warnings.entries()) {
    const entry = `${text === '' ? '' : '; '}${plain(`${field}: ${reason}`)}`;
    if (text.length + entry.length > MAX_LENGTH - REST_LENGTH) return `${text}; and ${warnings.length - index} more`;
    text += entry;
  }
  return text;
}

/** A header takes visible ASCII; a semicolon would look like the next entry. */
function plain(text: string): string {
  const shown = text.length > MAX_ENTRY ? `${text.slice(0, MAX_ENTRY)}...` : text;
  return shown.replace(/[^\x20-\x7e]/g, '?').replaceAll(';', ',');
}
