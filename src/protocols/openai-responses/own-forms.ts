/**
 * What the hub has no word for and this API needs to be written again as it was: hub values with one more member that
 * only this folder knows. To everyone else they are what they extend.
 */
import type { JsonText, NativePart, Part, ReasoningPart, Turn } from '../../domain/generation.ts';

/** Origin of native blocks, tools and fields of this API. */
export const OWN = 'openai-responses';

/** A turn that did not stand in the list of items: `instructions`, or an `input` that was one string. */
export interface PlacedTurn extends Turn {
  readonly place: 'instructions' | 'input';
}

/** A reasoning item as it came, with an encrypted thought of its own API or with none. */
export interface ReasoningItem extends ReasoningPart {
  readonly json: JsonText;
}

/** A native block that stood inside a message's content, not beside messages. */
export interface ContentBlock extends NativePart {
  readonly isContent: true;
}

export function placeOf(turn: Turn | undefined): PlacedTurn['place'] | undefined {
  return turn && 'place' in turn ? (turn as PlacedTurn).place : undefined;
}

export function jsonOf(part: ReasoningPart): JsonText | undefined {
  return 'json' in part ? (part as ReasoningItem).json : undefined;
}

export function isContentBlock(part: Part): part is ContentBlock {
  return part.type === 'native' && 'isContent' in part;
}

/** Names of the two native blocks that say something of the text beside them. */
export const PHASE = 'phase';
export const ANNOTATIONS = 'annotations';

export function nativePart(name: string, json: JsonText): NativePart {
  return { type: 'native', origin: OWN, name, json };
}
