/** Puts kept thoughts back before the tool calls that they led to, in turns that came back without them. */
import type { GenerationRequest, Part, ReasoningPart, ThoughtOrigin, Turn } from '../../domain/generation.ts';
import type { KeptThoughts } from './reasoning-vault.ts';

/** What is kept of a tool call, by its id. */
export type FindThoughts = (callId: string) => KeptThoughts | undefined;

/**
 * The same request when there is nothing to put back. Only what `origin` has signed is put back, because nobody else
 * takes it; unsigned thoughts of such a turn are left out then, for they say the same in the words of the client's API.
 */
export function restoreThoughts(
  request: GenerationRequest,
  origin: ThoughtOrigin | undefined,
  find: FindThoughts,
): GenerationRequest {
  if (origin === undefined || !request.turns.some(hasCalls)) return request;
  let isChanged = false;
  const turns = request.turns.map((turn, index) => {
    if (!hasCalls(turn) || isSigned(request.turns, index)) return turn;
    const restored = restoreTurn(turn, (callId) => ofOrigin(find(callId), origin));
    isChanged ||= restored !== turn;
    return restored;
  });
  return isChanged ? { ...request, turns } : request;
}

function hasCalls({ role, parts }: Turn): boolean {
  return role === 'assistant' && parts.some(({ type }) => type === 'tool_call');
}

/** The client sends thoughts back by itself: in this turn, or in one of the assistant's turns right before it. */
function isSigned(turns: readonly Turn[], index: number): boolean {
  for (let at = index; at >= 0; at -= 1) {
    const turn = turns[at];
    if (turn?.role !== 'assistant') return false;
    if (turn.parts.some((part) => part.type === 'reasoning' && part.signature !== undefined)) return true;
  }
  return false;
}

function ofOrigin(kept: KeptThoughts | undefined, origin: ThoughtOrigin): KeptThoughts | undefined {
  if (!kept) return undefined;
  const isOwn = ({ signature }: ReasoningPart) => signature?.origin === origin;
  const leading = kept.leading.filter(isOwn);
  const trailing = kept.trailing.filter(isOwn);
  const signature = kept.signature?.origin === origin ? kept.signature : undefined;
  return leading.length + trailing.length > 0 || signature ? { leading, trailing, signature } : undefined;
}

function restoreTurn(turn: Turn, find: FindThoughts): Turn {
  const parts: Part[] = [];
  /** Since the last call. */
  let segment: Part[] = [];
  let isChanged = false;
  for (const part of turn.parts) {
    if (part.type !== 'tool_call') {
      segment.push(part);
      continue;
    }
    const kept = find(part.callId);
    if (kept) {
      isChanged = true;
      const signature = part.signature ?? kept.signature;
      parts.push(...around(segment, kept), signature === part.signature ? part : { ...part, signature });
    } else {
      parts.push(...segment, part);
    }
    segment = [];
  }
  return isChanged ? { ...turn, parts: [...parts, ...segment] } : turn;
}

function around(segment: readonly Part[], { leading, trailing }: KeptThoughts): Part[] {
  if (leading.length + trailing.length === 0) return [...segment];
  const rest = segment.filter(({ type }) => type !== 'reasoning');
  return [...leading, ...rest, ...trailing];
}
