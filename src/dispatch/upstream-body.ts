/** The body as the worker gets it: the client's bytes, with the few values changed in place that must change. */
import type { Call } from '../domain/call.ts';
import type { PoolMember } from '../domain/candidate.ts';
import { nameAtProvider } from '../domain/providers/model-names.ts';
import type { Worker } from '../domain/worker.ts';
import { replaceModel, setMember } from '../protocols/peek.ts';

/**
 * `model` is what the client's name was resolved to. Cost nothing when nothing changes; one copy for another model
 * name, and one scan and copy for the rank of an SGLang worker.
 */
export function upstreamBody(call: Call, model: string, { worker, rank }: PoolMember): Buffer {
  const name = nameAt(worker, model);
  // A model in the path has no place in the body.
  const isRenamed = call.modelSpans.length > 0 && name !== call.model;
  const body = isRenamed ? replaceModel(call.body, call.modelSpans, name) : call.body;
  // vLLM and newer SGLang read the rank from a header; older SGLang has this member only, and newer still takes it.
  return rank === undefined || worker.facts?.engine !== 'sglang' ? body : withRank(body, String(rank));
}

/** What the worker calls a model: an alias that its operator gave it is unknown to the engine, a vendor to its provider. */
export function nameAt({ spec, facts, address: { provider } }: Worker, model: string): string {
  const card = spec.models.find(({ id, aliases }) => id !== model && aliases.includes(model));
  if (card) return card.id;
  if (!provider) return model;
  const isListed = spec.models.some(({ id }) => id === model) || facts?.models.includes(model) === true;
  return nameAtProvider(provider, model, isListed);
}

/** A rank that the client chose itself would undo the gateway's choice: where it stands, it is replaced. */
function withRank(body: Buffer, rank: string): Buffer {
  const ranked = setMember(body, 'data_parallel_rank', rank);
  return ranked.includes('"routed_dp_rank"') ? setMember(ranked, 'routed_dp_rank', rank) : ranked;
}
