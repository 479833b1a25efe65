/**
 * A conversation made ready for an engine that takes tokens: its prompt as text, what is asked of the sampler, and what
 * must be known to read the answer. Everything but the tokens themselves, which may take a while.
 */
import { GatewayError } from '../../domain/errors.ts';
import type {
  Effort,
  FunctionTool,
  GenerationRequest,
  JsonText,
  ToolChoice,
  TranslationWarning,
} from '../../domain/generation.ts';
import type { OutputConstraint, Sampling } from '../../domain/token-generation.ts';
import type { ChatTemplate, TokenModel } from '../../domain/token-model.ts';
import { writeMessages } from './chat-messages.ts';
import { offeredTools } from './chat-tools.ts';
import { readConstraint } from './constraint.ts';
import { ExtraFields } from './extra-fields.ts';
import { harmonyEffort } from './harmony-turns.ts';
import { readSampling } from './sampling.ts';
import { endsInThought, isThinking, wantsThought } from './thinking.ts';

/** What the parsers of the model's answers have to say beforehand. */
export interface AnswerForms {
  /** Texts that open a thought; empty: the model's thoughts are not told apart. */
  readonly thoughtOpenings: readonly string[];
  /** In the client's API an assistant's message at the end is the beginning of the answer. */
  readonly goesOnWithLast: boolean;
  /** Stands in the prompt before a text that the client began; empty unless said. */
  readonly textOpening?: string;
  /** How the engine is made to call tools; undefined: it is not. */
  constraintFor(tools: readonly FunctionTool[], choice: ToolChoice | undefined): OutputConstraint | undefined;
  /** What bounds the text of an answer, for all of the answer; unless said, they are the same. */
  boundAnswer?(constraint: OutputConstraint, hasTools: boolean): OutputConstraint;
}

export interface PreparedChat {
  readonly text: string;
  readonly sampling: Sampling;
  /** The tools that may be called. */
  readonly tools: readonly FunctionTool[];
  /** The answer is nothing but calls, as JSON: the engine was bound to it. */
  readonly isForcedCall: boolean;
  readonly beginsInThought: boolean;
  /** Thoughts stand apart from the text. */
  readonly separatesThoughts: boolean;
  /** Text that the client began and the model goes on with. */
  readonly prefix: string;
  /** The client's own id for the engine's request. */
  readonly requestId: string | undefined;
  readonly adapter: string | undefined;
  readonly warnings: readonly TranslationWarning[];
}

/** Throws `invalid_request`, `template_refused`, `template_limit` and `template_unusable`. */
export function prepareChat(request: GenerationRequest, model: TokenModel, forms: AnswerForms): PreparedChat {
  const { template } = model;
  if (!template) throw noTemplate();
  const extras = new ExtraFields(request.extras);
  const isHarmony = template.contentFormat === 'harmony';
  const offered = offeredTools(request, isHarmony);
  const effort = isHarmony ? harmonyEffort(request.reasoning) : { effort: request.reasoning.effort, warnings: [] };
  const wanted = thoughtToggle(template, extras) ?? wantsThought(request);
  const goesOn = continuation(request, extras, forms.goesOnWithLast);
  const messages = writeMessages(goesOn.turns, template.contentFormat);
  const prompt = template.render({
    messages: messages.text,
    tools: offered.text,
    addGenerationPrompt: extras.flag('add_generation_prompt') ?? true,
    variables: variablesOf({ effort: effort.effort, extras, template, wanted }),
  });
  const opening = goesOn.prefix === '' ? '' : (forms.textOpening ?? '');
  const text = prompt + opening + goesOn.prefix;
  const beginsInThought = endsInThought(text, forms.thoughtOpenings);
  const { constraint, isForcedCall, warnings } = boundBy({ request, extras, forms, tools: offered.tools });
  const decided = { constraint, beginsInThought: beginsInThought || isThinking(template, wanted) };
  const sampling = readSampling(request, extras, decided);
  const separatesThoughts = extras.flag('separate_reasoning') ?? true;
  extras.ignore(...SILENT);
  const requestId = extras.text('rid') ?? extras.text('request_id');
  const adapter = extras.text('lora_path');
  return {
    text,
    sampling,
    tools: offered.tools,
    isForcedCall,
    beginsInThought,
    separatesThoughts,
    prefix: goesOn.prefix,
    requestId,
    adapter,
    warnings: [
      ...messages.warnings,
      ...offered.warnings,
      ...effort.warnings,
      ...warnings,
      ...lossesOf(request),
      ...extras.unread,
    ],
  };
}

function noTemplate(): GatewayError {
  const text = 'The model has no chat template; --chat-template names one, and completions work without.';
  return new GatewayError('template_unusable', text);
}

/** Of no consequence for an engine behind gRPC, or always so. */
const SILENT = [
  'stream_reasoning',
  'add_special_tokens',
  'return_meta_info',
  'modalities',
  'prompt_cache_retention',
  'prompt_cache_options',
  'session_id',
  'priority',
];

/** Members of requests that say nothing about the answer of an engine are no losses: user, metadata, tiers, cache keys. */
function lossesOf({ verbosity }: GenerationRequest): TranslationWarning[] {
  if (verbosity === undefined) return [];
  return [{ kind: 'lost', field: 'verbosity', reason: 'cannot be given to an engine behind gRPC' }];
}

interface Continuation {
  readonly turns: GenerationRequest['turns'];
  readonly prefix: string;
}

/**
 * The last message is the beginning of the answer: it is taken out and written behind the prompt. Chat completions say
 * so by a field; elsewhere an assistant's message at the end always is.
 */
function continuation({ turns }: GenerationRequest, extras: ExtraFields, goesOn: boolean): Continuation {
  const isAsked = extras.flag('continue_final_message') ?? (goesOn && isBegun(turns));
  if (!isAsked) return { turns, prefix: '' };
  const last = turns.at(-1);
  const texts = last?.parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  if (last?.role !== 'assistant' || !texts || texts.length !== last.parts.length) {
    const text = '`continue_final_message` needs an assistant message of text at the end.';
    throw new GatewayError('invalid_request', text, { param: 'continue_final_message' });
  }
  return { turns: turns.slice(0, -1), prefix: texts.join('\n') };
}

/** Text of the assistant stands at the end, and nothing but text. */
function isBegun(turns: GenerationRequest['turns']): boolean {
  const last = turns.at(-1);
  return last?.role === 'assistant' && last.parts.length > 0 && last.parts.every(({ type }) => type === 'text');
}

interface Rendering {
  readonly effort: Effort | undefined;
  readonly extras: ExtraFields;
  readonly template: ChatTemplate;
  readonly wanted: boolean | undefined;
}

/** What templates look for by name; what the client says itself comes last and counts. */
function variablesOf({ effort, extras, template, wanted }: Rendering): JsonText {
  const members: string[] = [];
  if (effort !== undefined) members.push(`"reasoning_effort":${JSON.stringify(effort)}`);
  if (template.thinkingToggle && wanted !== undefined) members.push(`"${template.thinkingToggle.name}":${wanted}`);
  const documents = extras.raw('documents');
  if (documents !== undefined) members.push(`"documents":${documents}`);
  const own = ownVariables(extras);
  if (own !== '') members.push(own);
  return `{${members.join(',')}}`;
}

/** What the client says to the template itself; what the gateway says is not for it to say. */
function ownVariables(extras: ExtraFields): string {
  const given = extras.raw('chat_template_kwargs')?.trim() ?? '{}';
  if (given.length > MOST_VARIABLES_CHARS)
    throw new GatewayError(
      'invalid_request',
      `\`chat_template_kwargs\` is longer than ${MOST_VARIABLES_CHARS} characters.`,
      {
        param: 'chat_template_kwargs',
      },
    );
  const names = given.startsWith('{') ? Object.keys(JSON.parse(given) as object) : undefined;
  const taken = names?.find((name) => RESERVED.has(name));
  if (names && taken === undefined) return given.slice(1, -1).trim();
  const problem = names ? `must not have \`${taken}\`` : 'must be an object';
  throw new GatewayError('invalid_request', `\`chat_template_kwargs\` ${problem}.`, { param: 'chat_template_kwargs' });
}

/** What the client says to the template's own switch counts before what it says elsewhere; the template sees it last, too. */
function thoughtToggle({ thinkingToggle }: ChatTemplate, extras: ExtraFields): boolean | undefined {
  const given = extras.raw('chat_template_kwargs');
  if (!thinkingToggle || !given?.trim().startsWith('{')) return undefined;
  const value: unknown = (JSON.parse(given) as Record<string, unknown>)[thinkingToggle.name];
  return typeof value === 'boolean' ? value : undefined;
}

/** Templates know a handful of variables; documents are the longest of them. */
const MOST_VARIABLES_CHARS = 1_048_576;

const RESERVED: ReadonlySet<string> = new Set(['messages', 'tools', 'add_generation_prompt']);

interface Bound {
  readonly constraint: OutputConstraint | undefined;
  readonly isForcedCall: boolean;
  readonly warnings: readonly TranslationWarning[];
}

interface Binding {
  readonly request: GenerationRequest;
  readonly extras: ExtraFields;
  readonly forms: AnswerForms;
  readonly tools: readonly FunctionTool[];
}

/** An engine takes one constraint. A call that must be made comes before the form of a text that will not be written. */
function boundBy({ request, extras, forms, tools }: Binding): Bound {
  const asked = readConstraint(request, extras);
  const ofAnswer = asked && (forms.boundAnswer?.(asked, tools.length > 0) ?? asked);
  const ofTools = tools.length > 0 ? forms.constraintFor(tools, request.toolChoice) : undefined;
  if (!ofTools) return { constraint: ofAnswer, isForcedCall: false, warnings: [] };
  const reason = 'gives way to the call of a tool that is asked for';
  return {
    constraint: ofTools,
    isForcedCall: ofTools.kind === 'json_schema',
    warnings: ofAnswer ? [{ kind: 'lost', field: 'response_format', reason }] : [],
  };
}
