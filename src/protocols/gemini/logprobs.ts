/** `logprobsResult` of a candidate and the hub's log probabilities. Source: Gemini API reference, `LogprobsResult`. */
import type { TokenLogprob } from '../../domain/generation-event.ts';
import type { JsonNode } from '../hub/json-node.ts';
import type { JsonOut } from '../hub/json-text.ts';

interface Chosen {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: undefined;
}

/** Undefined when it tells of no token. */
export function readLogprobs(node: JsonNode | undefined): TokenLogprob[] | undefined {
  const chosen = node?.get('chosenCandidates')?.items ?? [];
  if (chosen.length === 0) return undefined;
  const top = node?.get('topCandidates')?.items ?? [];
  return chosen.map((item, index) => ({
    ...readToken(item),
    top: (top[index]?.get('candidates')?.items ?? []).map(readToken),
  }));
}

function readToken(node: JsonNode): Chosen {
  const logprob = node.get('logProbability')?.scalar;
  return {
    token: node.get('token')?.string ?? '',
    logprob: typeof logprob === 'number' ? logprob : 0,
    bytes: undefined,
  };
}

/** The bytes of tokens have no place in it. */
export function writeLogprobs(logprobs: readonly TokenLogprob[]): JsonOut {
  const token = ({ token: text, logprob }: Pick<TokenLogprob, 'token' | 'logprob'>): JsonOut => ({
    token: text,
    logProbability: Number.isFinite(logprob) ? logprob : LEAST,
  });
  return {
    topCandidates: logprobs.map(({ top }) => ({ candidates: top.map(token) })),
    chosenCandidates: logprobs.map(token),
  };
}

/** JSON has no infinity; servers that speak of impossible tokens write this. */
const LEAST = -9999;
