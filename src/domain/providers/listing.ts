/**
 * Reading what a provider answers to "which models are there?", in the provider's own form. Pure; nothing is taken for
 * granted, nothing throws.
 * Sources  OpenAI and Anthropic: List models; Gemini: models.list; the further fields of Groq, Mistral, OpenRouter, Together
 */
import { isObject } from '../fields.ts';
import type { ModelLimits } from '../worker.ts';
import type { ModelListing } from './provider.ts';

export interface ListedModel {
  readonly id: string;
  /** Name for people; undefined when none is told. */
  readonly displayName: string | undefined;
  readonly limits: ModelLimits;
  /** The entry as it came. */
  readonly entry: Readonly<Record<string, unknown>>;
}

export interface ListedModels {
  readonly models: readonly ListedModel[];
  /** What the path of the next page has at its end; undefined for the last page. */
  readonly next: string | undefined;
}

/** Methods that make a model of Gemini's one that calls can be for; others are of no use here. */
const USEFUL = ['generateContent', 'embedContent', 'batchEmbedContents', 'countTokens'];

export function readListing(form: ModelListing['form'], answer: unknown): ListedModels {
  const object = isObject(answer) ? answer : {};
  const list = form === 'gemini' ? object['models'] : Array.isArray(answer) ? answer : object['data'];
  const entries: readonly unknown[] = Array.isArray(list) ? list : [];
  const models = entries.flatMap((entry) => (isObject(entry) ? (readEntry(form, entry) ?? []) : []));
  return { models, next: nextOf(form, object) };
}

type Entry = ListedModel['entry'];

function readEntry(form: ModelListing['form'], entry: Entry): ListedModel | undefined {
  if (form === 'gemini') return readGemini(entry);
  const id = textIn(entry, 'id');
  if (id === undefined) return undefined;
  return { id, displayName: textIn(entry, 'display_name', 'name'), limits: limitsIn(entry), entry };
}

function limitsIn(entry: Entry): ModelLimits {
  const best = isObject(entry['top_provider']) ? entry['top_provider'] : {};
  const contextNames = ['context_length', 'context_window', 'max_context_length', 'max_input_tokens', 'max_model_len'];
  return {
    contextLength: countIn(entry, ...contextNames),
    maxOutputTokens: countIn(entry, 'max_completion_tokens', 'max_tokens') ?? countIn(best, 'max_completion_tokens'),
  };
}

function readGemini(entry: Entry): ListedModel | undefined {
  const id = textIn(entry, 'name')?.replace(/^models\//, '');
  const methods = entry['supportedGenerationMethods'];
  const isUseful = !Array.isArray(methods) || methods.some((method) => USEFUL.includes(String(method)));
  if (id === undefined || id === '' || !isUseful) return undefined;
  const [input, output] = [countIn(entry, 'inputTokenLimit'), countIn(entry, 'outputTokenLimit')];
  // The limits of prompt and answer are told apart; both together are what fits into a call.
  const contextLength = input === undefined ? undefined : input + (output ?? 0);
  return { id, displayName: textIn(entry, 'displayName'), limits: { contextLength, maxOutputTokens: output }, entry };
}

function nextOf(form: ModelListing['form'], answer: Entry): string | undefined {
  const [name, value] =
    form === 'gemini'
      ? ['pageToken', textIn(answer, 'nextPageToken')]
      : ['after_id', answer['has_more'] === true ? textIn(answer, 'last_id') : undefined];
  return form === 'openai' || value === undefined ? undefined : `&${name}=${encodeURIComponent(value)}`;
}

function textIn(entry: Entry, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = entry[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

function countIn(entry: Entry, ...names: readonly string[]): number | undefined {
  for (const name of names) {
    const value = entry[name];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  }
  return undefined;
}
