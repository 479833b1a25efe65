/** Facts by name, for display. Only names on a list: an engine's answer may hold keys of its own. */
import type { JsonObject } from '../read-json.ts';

const MAX_TEXT = 256;

export type Labels = Readonly<Record<string, string>>;

/** The named members that are text, numbers or truth values; long text is cut. */
export function labelsFrom(object: JsonObject, names: readonly string[]): Labels {
  const labels: Record<string, string> = {};
  for (const name of names) {
    const value = object[name];
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') continue;
    const text = printable(String(value)).slice(0, MAX_TEXT);
    if (text !== '') labels[name] = text;
  }
  return labels;
}

/** Without control characters: labels are shown in terminals and on pages. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '');
}
