/** A JSON object from members that are text already, in their order: names that look like numbers keep their place. */
import type { JsonText } from '../../domain/generation.ts';
import type { JsonNode } from '../hub/json-node.ts';

/** A member with its value as JSON text. */
export type MemberText = readonly [name: string, json: JsonText];

/** Compact; of a name given twice both stand. */
export function objectText(members: Iterable<MemberText>): JsonText {
  return `{${[...members].map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
}

/** The text as it was when no member has changed. */
export function sameOr(node: JsonNode, members: readonly MemberText[]): JsonText {
  return members.every(([name, text]) => node.get(name)?.text === text) ? node.text : objectText(members);
}

/** The same for a list. */
export function sameListOr(node: JsonNode, items: readonly JsonText[]): JsonText {
  return items.every((text, index) => text === node.items[index]?.text) ? node.text : `[${items.join(',')}]`;
}
