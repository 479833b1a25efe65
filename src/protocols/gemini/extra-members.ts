/** Fields of Gemini's own that the hub carries, sorted by the object in which they stand. */
import type { ExtraField } from '../../domain/generation.ts';
import type { RawJson } from '../hub/json-text.ts';
import { raw } from '../hub/json-text.ts';
import type { Warnings } from '../hub/object-reader.ts';

/** Members by their names, as they were written. */
export type ExtraMembers = Readonly<Record<string, RawJson>>;

/** The objects of a request that have members of Gemini's own. */
export interface ExtraObjects {
  readonly body: ExtraMembers;
  readonly generationConfig: ExtraMembers;
  readonly toolConfig: ExtraMembers;
}

/** Those of other APIs are lost. */
export function sortExtras(extras: readonly ExtraField[], warnings: Warnings): ExtraObjects {
  const sorted: Record<keyof ExtraObjects, Record<string, RawJson>> = {
    body: {},
    generationConfig: {},
    toolConfig: {},
  };
  for (const { origin, name, json } of extras) {
    if (origin !== 'gemini') {
      warnings.lost(name, 'is not known to Gemini');
      continue;
    }
    const dot = name.indexOf('.');
    const owner = name.slice(0, Math.max(0, dot));
    const members = owner === 'generationConfig' || owner === 'toolConfig' ? sorted[owner] : sorted.body;
    members[name.slice(dot + 1)] = raw(json);
  }
  return sorted;
}
