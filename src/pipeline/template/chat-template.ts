/**
 * A model's chat template: from its Jinja source to a ChatTemplate, set up as transformers sets up its own.
 * Shapes  compileChatTemplate(source, facts) → CompiledTemplate
 * Cost    compile: some ms per 10 KB of source, once; render: some tens of µs for a short conversation
 * Errors  never throws at compile time; render throws GatewayError: template_refused, template_limit, template_unusable
 * Source  transformers' `apply_chat_template`
 */
import { GatewayError } from '../../domain/errors.ts';
import type { ChatTemplate, TemplateInput } from '../../domain/token-model.ts';
import { inspectTemplate } from './inspect.ts';
import { LimitError, PythonError, TemplateSyntaxError } from './jinja/errors.ts';
import { globalsOf } from './jinja/globals.ts';
import { readJson } from './jinja/json-in.ts';
import { compileProgram } from './jinja/program.ts';
import type { Program, Rendering } from './jinja/program.ts';
import { PyDict } from './jinja/values.ts';
import type { Value } from './jinja/values.ts';

/** One source, or several by name: `default`, and `tool_use` for calls with tools. */
export type TemplateSource = string | Readonly<Record<string, string>>;

export interface TemplateFacts {
  /** Texts of special tokens by the names that templates know: `bos_token`, `eos_token`, `unk_token`, `pad_token` … */
  readonly specialTokens: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Wall-clock milliseconds, for `strftime_now`. */
  readonly now: () => number;
}

export interface CompiledTemplate extends ChatTemplate {
  /** Why it cannot be used, for logs; undefined: it can. */
  readonly unusableReason: string | undefined;
}

export function compileChatTemplate(source: TemplateSource, facts: TemplateFacts): CompiledTemplate {
  try {
    return new JinjaTemplate(compileAll(source, facts), specialVariables(facts));
  } catch (thrown) {
    if (!(thrown instanceof TemplateSyntaxError)) throw thrown;
    return unusable(`line ${thrown.line}: ${thrown.message}`);
  }
}

interface Programs {
  readonly plain: Program;
  readonly withTools: Program;
}

function compileAll(source: TemplateSource, facts: TemplateFacts): Programs {
  const globals = globalsOf(facts.now);
  if (typeof source === 'string') {
    const plain = compileProgram(source, globals);
    return { plain, withTools: plain };
  }
  const named = source['default'] ?? source['tool_use'] ?? Object.values(source)[0];
  if (named === undefined) throw new TemplateSyntaxError('there is no template in the list', 1);
  const plain = compileProgram(named, globals);
  const toolUse = source['tool_use'];
  return { plain, withTools: toolUse === undefined ? plain : compileProgram(toolUse, globals) };
}

function specialVariables(facts: TemplateFacts): ReadonlyMap<string, Value> {
  const variables = new Map<string, Value>();
  for (const [name, value] of Object.entries(facts.specialTokens)) if (value !== undefined) variables.set(name, value);
  return variables;
}

/** What is to be said of a template that does not compile: it refuses to render, and the gateway goes on without it. */
function unusable(reason: string): CompiledTemplate {
  return {
    contentFormat: 'string',
    thinkingToggle: undefined,
    opensThought: false,
    takesTools: false,
    unusableReason: reason,
    render: () => {
      throw new GatewayError('template_unusable', `The model's chat template cannot be compiled: ${reason}`);
    },
  };
}

class JinjaTemplate implements CompiledTemplate {
  readonly contentFormat: ChatTemplate['contentFormat'];
  readonly thinkingToggle: ChatTemplate['thinkingToggle'];
  readonly opensThought: boolean;
  readonly takesTools: boolean;
  readonly unusableReason = undefined;
  readonly #programs: Programs;
  readonly #specials: ReadonlyMap<string, Value>;

  constructor(programs: Programs, specials: ReadonlyMap<string, Value>) {
    const facts = inspectTemplate(programs.plain.tree);
    this.contentFormat = facts.contentFormat;
    this.thinkingToggle = facts.thinkingToggle;
    this.opensThought = facts.opensThought;
    this.takesTools = facts.takesTools || programs.withTools !== programs.plain;
    this.#programs = programs;
    this.#specials = specials;
  }

  render(input: TemplateInput): string {
    return this.renderCounted(input).text;
  }

  /** The prompt, and the steps that it took. */
  renderCounted(input: TemplateInput): Rendering {
    try {
      return this.#render(input);
    } catch (thrown) {
      throw asGatewayError(thrown);
    }
  }

  #render(input: TemplateInput): Rendering {
    const variables = new Map(this.#specials);
    variables.set('messages', readJson(input.messages));
    variables.set('tools', input.tools === undefined ? null : readJson(input.tools));
    variables.set('documents', null);
    variables.set('add_generation_prompt', input.addGenerationPrompt);
    if (input.variables !== undefined) addVariables(variables, readJson(input.variables));
    const units = input.messages.length + (input.tools?.length ?? 0) + (input.variables?.length ?? 0);
    const hasTools = input.tools !== undefined;
    return (hasTools ? this.#programs.withTools : this.#programs.plain).render(variables, units);
  }
}

function addVariables(variables: Map<string, Value>, more: Value): void {
  if (!(more instanceof PyDict)) throw new PythonError('TypeError', 'the variables are no object');
  for (const [name, value] of more.pairs()) if (typeof name === 'string') variables.set(name, value);
}

/** Longer words of a template are cut: they may hold the whole conversation. */
const MOST_MESSAGE_UNITS = 500;

function asGatewayError(thrown: unknown): unknown {
  if (thrown instanceof LimitError)
    return new GatewayError('template_limit', `The model's chat template was stopped: ${thrown.message}.`);
  if (!(thrown instanceof PythonError)) return GatewayError.from(thrown);
  const words = thrown.message.slice(0, MOST_MESSAGE_UNITS);
  const text = thrown.kind === 'TemplateError' ? words : `${thrown.kind}: ${words}`;
  return new GatewayError('template_refused', `The model's chat template refuses the conversation: ${text}`, {
    param: 'messages',
  });
}
