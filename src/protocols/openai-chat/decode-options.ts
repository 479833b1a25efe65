/** Reads what a request asks of the answer: tools, their choice, the form of the answer, thinking. */
import type {
  ExtraField,
  Effort,
  FunctionTool,
  ReasoningOptions,
  ResponseFormat,
  Tool,
  ToolChoice,
} from '../../domain/generation.ts';
import { isEffort } from '../hub/effort.ts';
import type { JsonNode } from '../hub/json-node.ts';
import { isObjectText } from '../hub/json-text.ts';
import { ObjectReader } from '../hub/object-reader.ts';
import { readCache } from './decode-parts.ts';
import { ORIGIN } from './field-names.ts';

export function extra(name: string, node: JsonNode): ExtraField {
  return { origin: ORIGIN, name, json: node.text };
}

export function readTools(body: ObjectReader): Tool[] {
  const tools = body.objects('tools').map(readTool);
  const functions = body.objects('functions').map((each) => readFunction(each, undefined));
  if (functions.length > 0)
    body.warnings.changed('functions', 'is the old form: calls are answered as `tool_calls` with ids');
  return [...tools, ...functions];
}

function readTool(tool: ObjectReader): Tool {
  const type = tool.text('type') ?? 'function';
  const definition = type === 'function' ? tool.object('function') : undefined;
  if (!definition) {
    if (type === 'function') throw tool.refuse('function', 'is missing');
    return { type: 'native', origin: ORIGIN, name: type, json: tool.node.text };
  }
  const result = readFunction(definition, tool);
  tool.finish();
  return result;
}

function readFunction(definition: ObjectReader, tool: ObjectReader | undefined): FunctionTool {
  const result: FunctionTool = {
    type: 'function',
    name: definition.textOf('name'),
    description: definition.text('description'),
    schemaText: definition.object('parameters')?.node.text,
    isStrict: definition.flag('strict'),
    cache: (tool && readCache(tool)) ?? readCache(definition),
  };
  definition.finish();
  return result;
}

const MODES: ReadonlyMap<string, ToolChoice['mode']> = new Map([
  ['auto', 'auto'],
  ['none', 'none'],
  ['required', 'required'],
  // Mistral's word.
  ['any', 'required'],
]);

/** A choice that the hub has no form for becomes an extra field. */
export function readToolChoice(body: ObjectReader, extras: ExtraField[]): ToolChoice | undefined {
  const name = body.value('tool_choice') === undefined ? 'function_call' : 'tool_choice';
  const node = body.value(name);
  if (node === undefined) return undefined;
  if (node.kind === 'string') {
    const mode = MODES.get(node.string ?? '');
    if (mode === undefined) throw body.refuse(name, 'must be auto, none, required or an object');
    return { mode, names: [] };
  }
  const choice = new ObjectReader(node, body.at(name), body.warnings);
  const result = name === 'function_call' ? namedChoice(choice) : readChoiceObject(choice);
  if (result === undefined) extras.push(extra(name, node));
  return result;
}

function namedChoice(holder: ObjectReader): ToolChoice {
  const name = holder.textOf('name');
  holder.finish();
  return { mode: 'named', names: [name] };
}

function readChoiceObject(choice: ObjectReader): ToolChoice | undefined {
  const type = choice.text('type') ?? 'function';
  if (type === 'function') {
    const named = choice.object('function');
    if (!named) throw choice.refuse('function', 'is missing');
    choice.finish();
    return namedChoice(named);
  }
  const allowed = type === 'allowed_tools' ? choice.object('allowed_tools') : undefined;
  const names = allowed?.objects('tools').map((tool) => tool.object('function')?.text('name'));
  if (!allowed || !names?.every((name) => name !== undefined)) return undefined;
  return { mode: allowed.text('mode') === 'required' ? 'required' : 'auto', names };
}

/** `response_format`, or the names that engines have for a schema. A form of the engines' own becomes an extra field. */
export function readResponseFormat(body: ObjectReader, extras: ExtraField[]): ResponseFormat | undefined {
  const node = body.value('response_format');
  const format = body.object('response_format');
  if (!format || !node) return readGuided(body, extras);
  // Beside a response format the engines' names say something else.
  for (const name of GUIDED) {
    const other = body.value(name);
    if (other) extras.push(extra(name, other));
  }
  const type = format.textOf('type');
  if (type === 'text' || type === 'json_object') {
    const schema = type === 'json_object' ? format.object('schema') : undefined;
    format.finish();
    // Together and Fireworks have the schema of a JSON object here.
    return schema ? schemaFormat(schema.node.text) : { type };
  }
  const holder = type === 'json_schema' ? format.object('json_schema') : undefined;
  if (!holder) {
    if (type === 'json_schema') throw format.refuse('json_schema', 'is missing');
    extras.push(extra('response_format', node));
    return undefined;
  }
  const result: ResponseFormat = {
    type: 'json_schema',
    name: holder.text('name') ?? 'response',
    description: holder.text('description'),
    schemaText: holder.object('schema')?.node.text,
    isStrict: holder.flag('strict'),
  };
  holder.finish();
  format.finish();
  return result;
}

const GUIDED = ['guided_json', 'json_schema', 'structured_outputs', 'guided_json_object'];

function schemaFormat(schemaText: string): ResponseFormat {
  return { type: 'json_schema', name: 'response', description: undefined, schemaText, isStrict: undefined };
}

/** vLLM's `guided_json` and `structured_outputs`, SGLang's `json_schema`: a schema, as an object or as its text. */
function readGuided(body: ObjectReader, extras: ExtraField[]): ResponseFormat | undefined {
  let format: ResponseFormat | undefined;
  for (const name of GUIDED) {
    const node = body.value(name);
    if (node === undefined) continue;
    const schema = name === 'structured_outputs' ? onlyMember(node, 'json') : node;
    const text = schema?.kind === 'string' ? (schema.string ?? '') : schema?.kind === 'object' ? schema.text : '';
    if (!format && isObjectText(text)) format = schemaFormat(text);
    else extras.push(extra(name, node));
  }
  return format;
}

function onlyMember(node: JsonNode, name: string): JsonNode | undefined {
  return node.members.size === 1 ? node.get(name) : undefined;
}

interface Wish {
  mode: ReasoningOptions['mode'];
  effort: Effort | undefined;
  budgetTokens: number | undefined;
  summary: ReasoningOptions['summary'];
}

/**
 * Every way in which chat servers let thinking be asked for, the most telling first: OpenAI's and the engines'
 * `reasoning_effort`, OpenRouter's `reasoning`, DeepSeek's `thinking`, Qwen's `enable_thinking` and `thinking_budget`,
 * vLLM's `thinking_token_budget` and `include_reasoning`, the engines' `chat_template_kwargs`.
 */
export function readReasoning(body: ObjectReader, extras: ExtraField[]): ReasoningOptions {
  const wish: Wish = { mode: undefined, effort: undefined, budgetTokens: undefined, summary: undefined };
  readEffort(body, wish, extras);
  readReasoningObject(body.object('reasoning'), wish);
  readThinkingObject(body.object('thinking'), wish);
  const isOn = body.flag('enable_thinking');
  if (isOn !== undefined) wish.mode ??= isOn ? 'on' : 'off';
  wish.budgetTokens ??= body.whole('thinking_budget');
  wish.budgetTokens ??= body.whole('thinking_token_budget');
  body.ignore('thinking_budget', 'thinking_token_budget');
  const isShown = body.flag('include_reasoning');
  if (isShown !== undefined) wish.summary ??= isShown ? 'auto' : 'none';
  readTemplateFlags(body, wish, extras);
  if (wish.effort === 'none') wish.mode ??= 'off';
  return wish;
}

function readEffort(body: ObjectReader, wish: Wish, extras: ExtraField[]): void {
  const node = body.value('reasoning_effort');
  const word = node?.string;
  if (word !== undefined && isEffort(word)) wish.effort = word;
  // Groq: as much as the model does by itself.
  else if (word === 'default') wish.mode = 'on';
  else if (node) extras.push(extra('reasoning_effort', node));
}

function readReasoningObject(holder: ObjectReader | undefined, wish: Wish): void {
  if (!holder) return;
  const effort = holder.text('effort');
  if (effort !== undefined && !isEffort(effort)) throw holder.refuse('effort', 'is no effort that is known');
  wish.effort ??= effort;
  wish.budgetTokens ??= holder.whole('max_tokens');
  const isOn = holder.flag('enabled');
  if (isOn !== undefined) wish.mode ??= isOn ? 'on' : 'off';
  const summary = holder.text('summary');
  if (summary === 'auto' || summary === 'concise' || summary === 'detailed') wish.summary = summary;
  if (holder.flag('exclude') === true) wish.summary = 'none';
  holder.finish();
}

const THINKING_MODES: ReadonlyMap<string, ReasoningOptions['mode']> = new Map([
  ['enabled', 'on'],
  ['disabled', 'off'],
  ['adaptive', 'adaptive'],
  ['auto', 'adaptive'],
]);

function readThinkingObject(holder: ObjectReader | undefined, wish: Wish): void {
  if (!holder) return;
  const type = holder.textOf('type');
  const mode = THINKING_MODES.get(type);
  if (mode === undefined) throw holder.refuse('type', 'must be enabled, disabled or adaptive');
  wish.mode ??= mode;
  wish.budgetTokens ??= holder.whole('budget_tokens');
  holder.finish();
}

const TEMPLATE_FLAGS = new Set(['enable_thinking', 'thinking']);

/** Arguments of the chat template stay an extra field unless thinking is all that they say. */
function readTemplateFlags(body: ObjectReader, wish: Wish, extras: ExtraField[]): void {
  const holder = body.object('chat_template_kwargs');
  if (!holder) return;
  const { members } = holder.node;
  const flags = [...members].filter(([name, { kind }]) => TEMPLATE_FLAGS.has(name) && kind === 'boolean');
  const isOn = flags[0]?.[1].scalar;
  if (isOn !== undefined) wish.mode ??= isOn === true ? 'on' : 'off';
  const isAgreed = flags.every(([, node]) => node.scalar === isOn);
  if (flags.length < members.size || !isAgreed) extras.push(extra('chat_template_kwargs', holder.node));
}
