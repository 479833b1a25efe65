/** The list of providers: one line each; and whose API a worker is. Owns nothing else. */
import { anthropic } from './anthropic.ts';
import { azure, azureDated, isDated } from './azure.ts';
import { cerebras } from './cerebras.ts';
import { compatible, compatibleNamed } from './compatible.ts';
import { deepseek } from './deepseek.ts';
import { fireworks } from './fireworks.ts';
import { gemini } from './gemini.ts';
import { groq } from './groq.ts';
import { llamaCpp } from './llama-cpp.ts';
import { mistral } from './mistral.ts';
import { ollama } from './ollama.ts';
import { openai } from './openai.ts';
import { openrouter } from './openrouter.ts';
import { perplexity } from './perplexity.ts';
import type { Provider } from './provider.ts';
import { together } from './together.ts';
import type { WorkerSpec } from '../worker.ts';
import { xai } from './xai.ts';

export const providers: readonly Provider[] = [
  openai,
  anthropic,
  xai,
  gemini,
  azure,
  groq,
  together,
  openrouter,
  mistral,
  deepseek,
  fireworks,
  cerebras,
  perplexity,
  ollama,
  llamaCpp,
  compatible,
];

export function providerNamed(name: string): Provider | undefined {
  return providers.find((provider) => provider.name === name);
}

type Named = Pick<WorkerSpec, 'url' | 'provider' | 'runtime'>;

/**
 * Whose API a worker is, behaviour §4: none when its spec names an engine; as the spec says; else by its host, exactly or
 * a subdomain of it; else OpenAI's for other `https` URLs that are marked as external. Undefined: a self-hosted engine.
 * A name that is not known is that of a compatible cloud, where the worker is marked as external or asked over `https`.
 */
export function providerOf(spec: Named): Provider | undefined {
  const provider = ownerOf(spec);
  return provider === azure && isDated(spec.url) ? azureDated : provider;
}

function ownerOf({ url, provider, runtime }: Named): Provider | undefined {
  const isExternal = runtime === 'external';
  if (runtime !== undefined && !isExternal) return undefined;
  const isSecure = url.startsWith('https://');
  if (provider !== undefined)
    return providerNamed(provider) ?? (isExternal || isSecure ? compatibleNamed(provider) : undefined);
  const known = providerAt(url);
  if (known) return known;
  if (!isExternal) return undefined;
  return isSecure ? openai : compatible;
}

/** Whose host it is, exactly or a subdomain. */
export function providerAt(url: string): Provider | undefined {
  const host = hostOf(url);
  return providers.find(({ hosts }) => hosts.some((each) => host === each || host.endsWith(`.${each}`)));
}

function hostOf(url: string): string {
  const full = url.includes('://') ? url : `https://${url}`;
  return URL.canParse(full) ? new URL(full).hostname : '';
}
