/**
 * What the JSON files of a model say about its habits: how turns end, how long its context is, what it samples with, and
 * which template it has. Pure.
 * Source  transformers' GenerationConfig and PretrainedConfig for the names; vLLM takes the sampling defaults whether or
 *         not `do_sample` is set, and so does this.
 */
import type { SamplingDefaults } from '../domain/token-model.ts';
import { isObject, jsonOf, SourceError, textOf } from './model-files.ts';
import type { JsonObject, ModelFiles } from './model-files.ts';

/** What templates know special tokens by: `bos_token` and its like, and what models have of their own. */
export type SpecialTokenTexts = Readonly<Record<string, string | readonly string[]>>;

export interface ModelFacts {
  /** Of config.json and generation_config.json together; empty: they say nothing. */
  readonly endTokenIds: readonly number[];
  readonly modelType: string | undefined;
  readonly architectures: readonly string[];
  readonly contextLength: number | undefined;
  readonly defaults: SamplingDefaults;
  readonly specialTokens: SpecialTokenTexts;
}

/** transformers writes 10^30 for "no limit". */
const MAX_SANE_CONTEXT = 100_000_000;

/** Throws a SourceError for a file that is no JSON object. */
export function readFacts(files: ModelFiles): ModelFacts {
  const config = jsonOf(files, 'config.json') ?? {};
  const generation = jsonOf(files, 'generation_config.json') ?? {};
  const tokenizer = jsonOf(files, 'tokenizer_config.json') ?? {};
  const specials = jsonOf(files, 'special_tokens_map.json') ?? {};
  // Models of several media keep those of their text part apart.
  const text = isObject(config['text_config']) ? config['text_config'] : {};
  const ends = [config, text, generation].flatMap(({ eos_token_id }) => idsOf(eos_token_id));
  return {
    endTokenIds: [...new Set(ends)],
    modelType: nonEmpty(config['model_type']),
    architectures: Array.isArray(config['architectures'])
      ? config['architectures'].filter((each) => typeof each === 'string')
      : [],
    contextLength:
      lengthOf(config['max_position_embeddings']) ??
      lengthOf(text['max_position_embeddings']) ??
      lengthOf(tokenizer['model_max_length']),
    defaults: samplingDefaults(generation),
    specialTokens: specialTokens(tokenizer, specials),
  };
}

const TOKEN_NAMES = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'].map((name) => `${name}_token`);

function specialTokens(config: JsonObject, map: JsonObject): SpecialTokenTexts {
  const found = new Map<string, string | readonly string[]>();
  const extra = isObject(config['extra_special_tokens']) ? config['extra_special_tokens'] : {};
  for (const [name, value] of Object.entries(extra)) {
    const text = tokenText(value);
    if (text !== undefined) found.set(name, text);
  }
  for (const name of TOKEN_NAMES) {
    const text = tokenText(config[name]) ?? tokenText(map[name]);
    if (text !== undefined) found.set(name, text);
  }
  const more: unknown = config['additional_special_tokens'] ?? map['additional_special_tokens'];
  if (Array.isArray(more))
    found.set(
      'additional_special_tokens',
      more.flatMap((each: unknown) => tokenText(each) ?? []),
    );
  return Object.fromEntries(found);
}

function idsOf(value: unknown): number[] {
  const ids: readonly unknown[] = Array.isArray(value) ? value : [value];
  return ids.filter((id): id is number => typeof id === 'number' && Number.isSafeInteger(id) && id >= 0);
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A token is written as its text, or as an object with flags. */
function tokenText(value: unknown): string | undefined {
  return nonEmpty(isObject(value) ? value['content'] : value);
}

function lengthOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= MAX_SANE_CONTEXT
    ? value
    : undefined;
}

function samplingDefaults(generation: JsonObject): SamplingDefaults {
  const number = (name: string) => {
    const value = generation[name];
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  };
  const all = {
    temperature: number('temperature'),
    topP: number('top_p'),
    topK: number('top_k'),
    minP: number('min_p'),
    repetitionPenalty: number('repetition_penalty'),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** The texts of a model's templates. */
export interface TemplateTexts {
  readonly main: string;
  /** For conversations with tools, where the model has one of its own. */
  readonly withTools: string | undefined;
}

/**
 * In this order: `given` (what an operator named), chat_template.json, chat_template.jinja, another `*.jinja`, and the
 * `chat_template` of tokenizer_config.json. Undefined: there is none.
 */
export function templateTexts(files: ModelFiles, given: TemplateTexts | undefined): TemplateTexts | undefined {
  if (given) return given;
  const fromJson = templatesIn(jsonOf(files, 'chat_template.json'));
  if (fromJson) return fromJson;
  const names = [...files.keys()].filter((name) => name.endsWith('.jinja')).sort();
  const name = names.includes('chat_template.jinja') ? 'chat_template.jinja' : names[0];
  const file = name === undefined ? undefined : files.get(name);
  if (file) return { main: textOf(file), withTools: undefined };
  return templatesIn(jsonOf(files, 'tokenizer_config.json'));
}

/** A string, or a list of templates with names of which `default` and `tool_use` count. */
export function templatesIn(config: JsonObject | undefined): TemplateTexts | undefined {
  const value = config?.['chat_template'];
  if (typeof value === 'string') return value === '' ? undefined : { main: value, withTools: undefined };
  const named = new Map(namedTemplates(value));
  const withTools = named.get('tool_use');
  const main = named.get('default') ?? withTools ?? [...named.values()][0];
  return main === undefined ? undefined : { main, withTools };
}

function namedTemplates(value: unknown): (readonly [string, string])[] {
  if (isObject(value)) return Object.entries(value).flatMap(([name, text]) => pairOf(name, text));
  if (!Array.isArray(value)) return [];
  return value.flatMap((each: unknown) => (isObject(each) ? pairOf(each['name'], each['template']) : []));
}

function pairOf(name: unknown, text: unknown): (readonly [string, string])[] {
  return typeof name === 'string' && typeof text === 'string' ? [[name, text]] : [];
}

/** Of a file that an operator named: a JSON file with `chat_template` in it, or the template itself. */
export function templateOfFile(name: string, bytes: Buffer): TemplateTexts {
  if (!name.endsWith('.json')) return { main: textOf(bytes), withTools: undefined };
  const texts = templatesIn(jsonOf(new Map([['the template file', bytes]]), 'the template file'));
  if (!texts) throw new SourceError('the template file has no chat_template');
  return texts;
}
