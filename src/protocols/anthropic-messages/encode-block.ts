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

/**
 * Keeps four breakpoints: the first, which ends what all conversations share (tools, system prompt), and the last
 * ones, which end what this conversation has said. None is moved. `others` count but are not ours to take away, as
 * those within JSON of the API's own.
 */
export function limitCacheMarks(blocks: readonly Block[], others: number, warnings: Warnings): void {
  const all = blocks.flatMap((block) => [...(block.inner ?? []), block]);
  const marked = all.filter(({ cache }) => cache !== undefined);
  const native = all.filter(({ members }) => members instanceof RawJson && members.text.includes('"cache_control"'));
  const room = Math.max(0, MAX_CACHE_MARKS - others - native.length);
  const surplus = Math.max(0, marked.length - room);
  const from = Math.min(1, room);
  for (const block of marked.slice(from, from + surplus)) {
    block.cache = undefined;
    warnings.lost(
      `${block.field}.cache_control`,
      `is one breakpoint of the cache more than the ${MAX_CACHE_MARKS} allowed`,
    );
  }
}
