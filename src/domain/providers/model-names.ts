/** Whose a model is by its name alone, and what that provider calls it. Pure. */
import type { Provider } from './provider.ts';

/**
 * Those of the providers that own the name: by its pattern (`gpt-…`) or by the vendor before a slash (`groq/llama-…`);
 * when none does, by the pattern of what is behind the slash (`vendor/gpt-…`).
 */
export function ownersOf(model: string, providers: readonly Provider[]): readonly Provider[] {
  const { vendor, rest } = halvesOf(model);
  const owners = providers.filter(({ models, vendors }) => models?.test(model) === true || vendors.includes(vendor));
  return owners.length > 0 || rest === '' ? owners : providers.filter(({ models }) => models?.test(rest) === true);
}

/**
 * What the provider calls a model: without its vendor before a slash. `isListed`: the worker lists the model by this very
 * name, which is therefore the right one.
 */
export function nameAtProvider(provider: Provider | undefined, model: string, isListed: boolean): string {
  if (!provider || isListed) return model;
  const { vendor, rest } = halvesOf(model);
  if (rest === '') return model;
  const isForeign = provider.models?.test(rest) === true && !provider.models.test(model);
  return isForeign || provider.vendors.includes(vendor) ? rest : model;
}

/** Both empty for a name without a slash. */
function halvesOf(model: string): { readonly vendor: string; readonly rest: string } {
  const slash = model.indexOf('/');
  return slash < 0 ? { vendor: '', rest: '' } : { vendor: model.slice(0, slash), rest: model.slice(slash + 1) };
}
