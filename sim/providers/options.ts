/**
 * What can be configured on a simulated provider: kinds, defaults, and the presets that pose as well-known
 * OpenAI-compatible clouds.
 */

/** Whose API is imitated. */
export type ProviderKind = 'openai' | 'anthropic' | 'gemini' | 'xai' | 'compatible';

/** The kinds, in the order they are listed to users. */
export const PROVIDER_KINDS: readonly ProviderKind[] = ['openai', 'anthropic', 'gemini', 'xai', 'compatible'];

/** How an OpenAI-compatible cloud differs from OpenAI. Only `compatible` providers read it. */
export interface CompatibleOptions {
  /** Path before `/chat/completions`: `/v1`, `/openai/v1`, `/api/v1`; `` for none. */
  readonly basePath: string;
  /** `authorization` (as a bearer token) or a header that holds the bare key: `api-key`. */
  readonly keyHeader: string;
  /** Fields of chat requests that are refused although OpenAI takes them; `messages[].name` for those of messages. */
  readonly refusedFields: readonly string[];
  /** Further fields of assistant messages it takes: its own words for thoughts. */
  readonly messageFields: readonly string[];
  /** Status of a refused or unknown field: 400, or 422 in Mistral's words. */
  readonly refusalStatus: 400 | 422;
  /** Further fields it takes although OpenAI does not: `top_k`. */
  readonly extraFields: readonly string[];
  /** Azure's paths: `/openai/deployments/{model}/chat/completions?api-version=…`, the version being required. */
  readonly isAzure: boolean;
  /** Field of messages and deltas that carries the model's thoughts; undefined: they are not shown. */
  readonly reasoningField: string | undefined;
  /** False: `/responses` is not there. */
  readonly hasResponses: boolean;
  /** False: `/embeddings` is not there. */
  readonly hasEmbeddings: boolean;
  /** False: the models path is not there, so that discovery fails. */
  readonly hasModels: boolean;
}

const LIKE_OPENAI: CompatibleOptions = {
  basePath: '/v1',
  keyHeader: 'authorization',
  refusedFields: [],
  messageFields: ['reasoning_content'],
  refusalStatus: 400,
  extraFields: [],
  isAzure: false,
  reasoningField: 'reasoning_content',
  hasResponses: false,
  hasEmbeddings: true,
  hasModels: true,
};

const ENGINE_FIELDS = ['top_k', 'min_p', 'repetition_penalty'];

/**
 * Well-known clouds. Sources: Groq "OpenAI Compatibility" (unsupported fields), OpenRouter API reference (parameters,
 * `reasoning`), Mistral and DeepSeek API references, Together and Fireworks OpenAI compatibility pages, Azure OpenAI REST
 * reference, Ollama OpenAI compatibility.
 */
export const PRESETS = {
  groq: {
    ...LIKE_OPENAI,
    basePath: '/openai/v1',
    refusedFields: ['logprobs', 'top_logprobs', 'logit_bias', 'messages[].name'],
    messageFields: ['reasoning'],
    extraFields: ['reasoning_format', 'include_reasoning'],
    reasoningField: 'reasoning',
    hasResponses: true,
    hasEmbeddings: false,
  },
  openrouter: {
    ...LIKE_OPENAI,
    basePath: '/api/v1',
    messageFields: ['reasoning', 'reasoning_details', 'reasoning_content'],
    extraFields: [
      ...ENGINE_FIELDS,
      'top_a',
      'models',
      'route',
      'provider',
      'reasoning',
      'transforms',
      'usage',
      'plugins',
    ],
    reasoningField: 'reasoning',
  },
  mistral: {
    ...LIKE_OPENAI,
    messageFields: ['prefix'],
    refusalStatus: 422,
    reasoningField: undefined,
    refusedFields: [
      'stream_options',
      'max_completion_tokens',
      'logprobs',
      'top_logprobs',
      'logit_bias',
      'seed',
      'user',
      'store',
      'service_tier',
      'messages[].name',
    ],
    extraFields: ['random_seed', 'safe_prompt', 'prompt_mode'],
  },
  deepseek: { ...LIKE_OPENAI, extraFields: ['thinking'], hasEmbeddings: false },
  together: {
    ...LIKE_OPENAI,
    extraFields: ENGINE_FIELDS,
    reasoningField: 'reasoning',
    messageFields: ['reasoning', 'reasoning_content'],
  },
  fireworks: { ...LIKE_OPENAI, basePath: '/inference/v1', extraFields: ENGINE_FIELDS },
  ollama: { ...LIKE_OPENAI, reasoningField: 'reasoning', messageFields: ['reasoning'] },
  azure: {
    ...LIKE_OPENAI,
    basePath: '',
    keyHeader: 'api-key',
    isAzure: true,
    reasoningField: undefined,
    messageFields: [],
  },
} as const satisfies Readonly<Record<string, CompatibleOptions>>;

/** Name of a preset. */
export type PresetName = keyof typeof PRESETS;

/** All options of one provider, resolved. */
export interface ProviderOptions {
  readonly kind: ProviderKind;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The keys it knows. Empty: every key is good, but one is needed and in the right form. */
  readonly keys: readonly string[];
  readonly models: readonly string[];
  /** Models per page of a list, where the API pages and the caller names no size. */
  readonly pageSize: number;
  /** What its seals (thinking signatures and the like) are made with; two providers with one secret trust each other. */
  readonly secret: string;
  readonly keepAliveMs: number;
  /** Seed of faults that strike at a rate. */
  readonly seed: number;
  readonly compatible: CompatibleOptions;
  /** Called when a `kill_after` fault or `kill()` ends it; a process of its own exits here. */
  readonly onKill: (() => void) | undefined;
}

/** Options as a test gives them: the kind, and whatever differs from the defaults. */
export type ProviderSpec = Partial<Omit<ProviderOptions, 'compatible'>> & {
  readonly kind: ProviderKind;
  /** Poses as this cloud; `compatible` changes single points of it. */
  readonly preset?: PresetName;
  readonly compatible?: Partial<CompatibleOptions>;
};

const DEFAULT_MODELS: Readonly<Record<ProviderKind, readonly string[]>> = {
  openai: ['gpt-4o-mini', 'gpt-4.1', 'o4-mini', 'gpt-5-mini', 'text-embedding-3-small'],
  anthropic: ['claude-haiku-4-5', 'claude-sonnet-4-5', 'claude-opus-4-8'],
  gemini: ['gemini-2.5-flash', 'gemini-3-flash-preview', 'gemini-embedding-001'],
  xai: ['grok-4', 'grok-3', 'grok-3-mini'],
  compatible: ['llama-3.3-70b', 'deepseek-r1', 'embed-small'],
};

/** Fills in defaults. Throws RangeError on an unknown kind or an empty list of models. */
export function resolveProvider(spec: ProviderSpec): ProviderOptions {
  const { preset, ...given } = spec;
  if (!PROVIDER_KINDS.includes(spec.kind)) throw new RangeError(`kind must be one of ${PROVIDER_KINDS.join(', ')}`);
  if (spec.models?.length === 0) throw new RangeError('models must be names, at least one');
  return {
    host: '127.0.0.1',
    port: 0,
    keys: [],
    models: DEFAULT_MODELS[spec.kind],
    pageSize: 20,
    secret: spec.kind,
    keepAliveMs: 60_000,
    seed: 0,
    onKill: undefined,
    ...given,
    compatible: { ...(preset === undefined ? LIKE_OPENAI : PRESETS[preset]), ...spec.compatible },
  };
}
