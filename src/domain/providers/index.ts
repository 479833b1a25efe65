/** The list of providers: one line each. */
import { anthropic } from './anthropic.ts';
import { gemini } from './gemini.ts';
import { openai } from './openai.ts';
import type { Provider } from './provider.ts';
import type { WorkerSpec } from '../worker.ts';
import { xai } from './xai.ts';

export const providers: readonly Provider[] = [openai, anthropic, xai, gemini];

export function providerNamed(name: string): Provider | undefined {
  return providers.find((provider) => provider.name === name);
}

/** Whose API a worker is: as its spec says, else by its host (behaviour §4). Undefined: a self-hosted engine. */
export function providerOf({
  url,
  provider,
  runtime,
}: Pick<WorkerSpec, 'url' | 'provider' | 'runtime'>): Provider | undefined {
  if (provider !== undefined) return providerNamed(provider);
  const host = hostOf(url);
  const known = providers.find(({ hosts }) => hosts.some((each) => host === each || host.endsWith(`.${each}`)));
  return known ?? (runtime === 'external' ? openai : undefined);
}

function hostOf(url: string): string {
  const full = url.includes('://') ? url : `https://${url}`;
  return URL.canParse(full) ? new URL(full).hostname : '';
}
