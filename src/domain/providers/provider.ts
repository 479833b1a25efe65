/**
 * What is known of a provider, as data: where it is, how it is asked, and its own ways over an API that others have
 * too. One file for each provider, one line in index.ts. Pure; keys are never in here.
 */
import type { ProtocolName } from '../call.ts';
import type { Effort, ThoughtOrigin } from '../generation.ts';
import type { HeaderList } from '../headers.ts';

/** How a key is sent: `Bearer ` before it only in `authorization`. */
export type KeyHeader = 'authorization' | 'x-api-key' | 'x-goog-api-key' | 'api-key';

/**
 * One API of a provider and where it is, behind the worker's URL and the provider's base path: `{model}` is the
 * model's name, percent-encoded. `streamPath` where streams have a path of their own.
 */
export interface SpokenApi {
  readonly protocol: ProtocolName;
  readonly path: string;
  readonly streamPath?: string;
}

/** What models of a family take. */
export interface ChatModelRule {
  readonly models: RegExp;
  /** Efforts that `reasoning_effort` may have; empty: the model does not think. */
  readonly efforts: readonly Effort[];
  /** Takes `temperature`, `top_p`, penalties, `logprobs`, `logit_bias` and `stop`; some only while they do not think. */
  readonly sampling: 'always' | 'without_thought' | 'never';
}

/** How a chat-completions server differs from OpenAI's own. */
export interface ChatTraits {
  /** Name of the limit of the answer's length. */
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens';
  /** How thinking is asked for; `none`: there is no way, and asking is a loss. */
  readonly reasoning: 'reasoning_effort' | 'reasoning_object' | 'thinking_object' | 'chat_template_kwargs' | 'none';
  /** Field in which the assistant's thoughts are sent back; undefined: not at all. */
  readonly replaysThoughtsAs: 'reasoning_content' | 'reasoning' | 'reasoning_details' | undefined;
  /** Knows the role `developer`; else it is sent as `system`. */
  readonly hasDeveloperRole: boolean;
  /** Fetches images from URLs by itself. */
  readonly fetchesImages: boolean;
  /** Takes files (PDF) as parts. */
  readonly takesFiles: boolean;
  /** Takes `response_format` of type `json_schema`. */
  readonly takesJsonSchema: boolean;
  /** Takes `stream_options`. */
  readonly takesStreamOptions: boolean;
  /** Takes what self-hosted engines take beyond OpenAI: `top_k`, `min_p` …. */
  readonly takesEngineFields: boolean;
  /**
   * Prompt-cache breakpoints: taken as `cache_control` of parts and tools; not needed, since every prefix is cached by
   * itself; or not known at all, which makes one a loss.
   */
  readonly cacheMarks: 'cache_control' | 'automatic' | 'none';
  /** Takes text as a list of parts in every role; else the list becomes one text. */
  readonly takesTextLists: boolean;
  /** Takes what is OpenAI's own: `store`, `metadata`, `service_tier`, `verbosity`, `prompt_cache_key`, `allowed_tools`. */
  readonly takesOpenAiFields: boolean;
  /** Most stop sequences; undefined: any number. */
  readonly maxStops: number | undefined;
  /** Names of tools; undefined: any. */
  readonly toolNames: RegExp | undefined;
  /** What is known of its models, the first that matches counts; of others nothing is known and everything is sent. */
  readonly models: readonly ChatModelRule[];
  /** Tool call ids: longest, and the pattern they must have. */
  readonly toolIds: { readonly maxLength: number; readonly pattern: RegExp };
}

/** A field of a body that the provider refuses, or has under another name. */
export interface FieldQuirk {
  readonly protocol: ProtocolName;
  /** Top-level name, or `list[].name` for a member of each object in a top-level list. */
  readonly name: string;
  /** What becomes of it. `rename` keeps its value; it is for top-level names only. */
  readonly act: 'remove' | { readonly rename: string };
  /** Only for these models. */
  readonly models?: RegExp;
}

/** Which models a provider serves in one of its two generation APIs only. */
export interface ResponsesTraits {
  /** In Responses only. */
  readonly only: RegExp;
  /** In chat completions too, but there they refuse tools while they think. */
  readonly forTools: RegExp;
  /** In chat completions only. */
  readonly never: RegExp;
}

/** How the models of a provider are listed. */
export interface ModelListing {
  /** Behind the base path, with the query of the first page. */
  readonly path: string;
  /** Where the list is, its ids, and how it goes on: `data[].id` or `models[].name`. */
  readonly form: 'openai' | 'anthropic' | 'gemini';
}

export interface Provider {
  /** As `provider` of a worker names it. */
  readonly name: string;
  readonly title: string;
  /** Where it is; undefined when everybody has one of his own. */
  readonly url: string | undefined;
  /** Exact host or a subdomain of it. */
  readonly hosts: readonly string[];
  /** Put before an API's path as far as the worker's URL does not have it, e.g. `/openai`. */
  readonly basePath: string;
  /** Behind every path, e.g. `?api-version=…`, unless the worker's URL has its own. */
  readonly query: string;
  /** APIs in the order of preference for a call that must be translated. */
  readonly apis: readonly SpokenApi[];
  readonly keyHeader: KeyHeader;
  /** Headers that each call must have unless the client sends its own, e.g. `anthropic-version`. */
  readonly headers: HeaderList;
  /** Client headers that may travel beside the usual ones. */
  readonly passHeaders: readonly string[];
  /** Beginnings that tell a key of this provider, longest first. */
  readonly keyShapes: readonly string[];
  /** It has keys, too, that begin like none of these. */
  readonly hasPlainKeys: boolean;
  /** Environment variables that hold a key, the first that is set counts. */
  readonly keyVariables: readonly string[];
  /** Names of models that are this provider's. */
  readonly models: RegExp | undefined;
  /** Names that stand for the provider before a slash: `anthropic/claude-…`; taken off where the worker does not list the name so. */
  readonly vendors: readonly string[];
  /** Where its chat completions and its Responses are not the same models; absent where they are. */
  readonly responses?: ResponsesTraits;
  readonly listing: ModelListing | undefined;
  /** The list may be open to everybody, so that it is asked for without a key too. */
  readonly mayListOpenly: boolean;
  /** Whose signatures its models take. */
  readonly thoughts: ThoughtOrigin | undefined;
  readonly chat: ChatTraits;
  readonly quirks: readonly FieldQuirk[];
}
