/** Which key goes to which worker (behaviour §5). Keys are values here; nothing in this file keeps or shows one. */
import type { Worker } from './worker.ts';

export type Provider = 'openai' | 'anthropic' | 'xai' | 'gemini';

/** Longer prefixes first: `sk-ant-` also begins with `sk-`. */
const SHAPES: readonly (readonly [prefix: string, provider: Provider])[] = [
  ['sk-ant-', 'anthropic'],
  ['sk-proj-', 'openai'],
  ['xai-', 'xai'],
  ['AIza', 'gemini'],
];

/** The provider that the shape of a key names, or undefined for a key of no telling shape. */
export function providerOfKey(key: string): Provider | undefined {
  return SHAPES.find(([prefix]) => key.startsWith(prefix))?.[1];
}

/** The caller's key as far as it may travel to a self-hosted worker: one that belongs to a cloud stays here. */
export function keyForOwnWorkers(callerKey: string | undefined): string | undefined {
  return callerKey !== undefined && providerOfKey(callerKey) === undefined ? callerKey : undefined;
}

/** The key to send: the caller's if it may go there, else the worker's stored key, else none. */
export function keyFor(worker: Worker, callerKey: string | undefined): string | undefined {
  return keyForOwnWorkers(callerKey) ?? worker.spec.apiKey;
}
