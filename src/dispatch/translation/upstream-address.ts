/** Path and query of a call behind a provider's URL. */
import type { Call } from '../../domain/call.ts';
import { upstreamPathOf } from '../../domain/providers/path.ts';
import type { SpokenApi } from '../../domain/providers/provider.ts';
import type { WorkerAddress } from '../../domain/worker.ts';

/** What the client asked for beside the path goes along when the worker speaks the client's API, and only then. */
export function upstreamPath(call: Call, address: WorkerAddress, { api, model, isSame }: PathParts): string {
  const path = upstreamPathOf(address, api, model, call.stream);
  if (!isSame) return path;
  const asked = call.upstreamPath.indexOf('?');
  return asked < 0 ? withoutQuery(path, call) : joinQuery(withoutQuery(path, call), call.upstreamPath.slice(asked + 1));
}

interface PathParts {
  readonly api: SpokenApi;
  /** What the worker calls the model. */
  readonly model: string;
  /** The API is the client's own. */
  readonly isSame: boolean;
}

/** Gemini's client says itself in which form it wants its stream. */
function withoutQuery(path: string, { protocol }: Call): string {
  return protocol === 'gemini' ? path.replace(/\?alt=sse$/, '') : path;
}

function joinQuery(path: string, query: string): string {
  return query === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${query}`;
}
