/** What the writers of a request share: for whom it is written, and the blocks that it is made of. */
import type { CacheMark, ThoughtOrigin } from '../../domain/generation.ts';
import type { EncodeTarget } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { RawJson } from '../hub/json-text.ts';
import type { Warnings } from '../hub/object-reader.ts';
import type { ModelTraits } from './model-traits.ts';
import { cacheControl, MAX_CACHE_MARKS } from './wire.ts';

export interface Writer {
  readonly target: EncodeTarget;
  readonly traits: ModelTraits;
  readonly warnings: Warnings;
}

/** A block, a tool or a part of the system prompt; a breakpoint of the cache may stand on it. */
export interface Block {
  /** In the order in which they are written; or JSON of the API's own, as it came. */
  readonly members: Readonly<Record<string, JsonOut | undefined>> | RawJson;
  /** What stands in the member `content`, where blocks do. */
  readonly inner?: readonly Block[];
  /** Taken away again when there are too many. */
  cache: CacheMark | undefined;
  /** Path in the hub's request, for warnings. */
  readonly field: string;
}

/** Whose signatures the worker takes. */
export function originOf({ provider }: EncodeTarget): ThoughtOrigin {
  return provider?.thoughts ?? 'anthropic';
}

export function renderBlock({ members, inner, cache }: Block): JsonOut {
  if (members instanceof RawJson) return members;
  const content = inner && { content: inner.map((block) => renderBlock(block)) };
  return { ...members, ...content, cache_control: cache && cacheControl(cache) };
}

/** The `type` of a block; undefined for JSON of the API's own. */
export function typeOfBlock({ members }: Block): string | undefined {
  const type = members instanceof RawJson ? undefined : members['type'];
  return typeof type === 'string' ? type : undefined;
}

/** Of a text block. */
export function textOfBlock(block: Block): string | undefined {
  const { members } = block;
  const text = members instanceof RawJson || typeOfBlock(block) !== 'text' ? undefined : members['text'];
  return typeof text === 'string' ? text : undefined;
}

/** Where breakpoints may stand: what all conversations share (tools, system prompt), and what this one has said. */
export interface MarkedBlocks {
  readonly shared: readonly Block[];
  readonly conversation: readonly Block[];
  /** Breakpoints beside the blocks. */
  readonly others: number;
}

/**
 * Keeps four breakpoints: the last one of the shared part, which covers all of it, and the last ones of the
 * conversation, which cover most of it. None is moved. Those within JSON of the API's own count, but stay.
 */
export function limitCacheMarks({ shared, conversation, others }: MarkedBlocks, warnings: Warnings): void {
  const [inShared, inConversation] = [markedIn(shared), markedIn(conversation)];
  const room = Math.max(0, MAX_CACHE_MARKS - others - nativeMarks(shared) - nativeMarks(conversation));
  const kept = Math.min(inConversation.length, Math.max(0, room - Math.min(1, inShared.length)));
  for (const block of [...withoutLast(inShared, room - kept), ...withoutLast(inConversation, kept)]) {
    block.cache = undefined;
    const reason = `is one breakpoint of the cache more than the ${MAX_CACHE_MARKS} that may be`;
    warnings.lost(`${block.field}.cache_control`, reason);
  }
}

function markedIn(blocks: readonly Block[]): Block[] {
  return blocks.flatMap((block) => [...(block.inner ?? []), block]).filter(({ cache }) => cache !== undefined);
}

function nativeMarks(blocks: readonly Block[]): number {
  return blocks.filter(({ members }) => members instanceof RawJson && members.text.includes('"cache_control"')).length;
}

function withoutLast(blocks: readonly Block[], count: number): readonly Block[] {
  return blocks.slice(0, Math.max(0, blocks.length - count));
}
