/** The providers' keys in the environment, under the names that the providers' own clients read. */
import { providers } from '../domain/providers/index.ts';
import type { Sources } from './resolve.ts';

export interface ProviderKeys {
  /** By the name of the provider. Never shown. */
  readonly keys: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
}

/** One that can be no key is left out with a warning: it may be there for another program. */
export function readProviderKeys(env: Sources['env'] = {}): ProviderKeys {
  const keys = new Map<string, string>();
  const warnings: string[] = [];
  for (const { name, keyVariables } of providers) {
    const variable = keyVariables.find((each) => (env[each] ?? '').trim() !== '');
    const key = variable === undefined ? '' : (env[variable] ?? '').trim();
    if (/^[\x21-\x7e]+$/.test(key)) keys.set(name, key);
    else if (key !== '')
      warnings.push(`environment variable ${variable}: the value (not shown) can be no key, it is ignored`);
  }
  return { keys, warnings };
}

/** The variables, one for each provider that has one. */
export const KEY_VARIABLES: readonly string[] = providers.flatMap(({ keyVariables }) => keyVariables.slice(0, 1));
