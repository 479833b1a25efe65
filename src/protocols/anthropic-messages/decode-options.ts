/** Tools, thinking and the form of the answer, read into the hub. Source: Anthropic API reference, Messages. */
import type {
  Effort,
  FunctionTool,
  ReasoningOptions,
  ResponseFormat,
  Tool,
  ToolChoice,
} from '../../domain/generation.ts';
import { isEffort } from '../hub/effort.ts';
import type { ObjectReader } from '../hub/object-reader.ts';
import { readCache } from './decode-media.ts';
import { NATIVE_ORIGIN } from './wire.ts';

/** Members of a tool that no other API has. */
const OWN_TOOL_FIELDS = ['input_examples', 'defer_loading', 'allowed_callers', 'eager_input_streaming'];

/** Anthropic's tools have no name for an answer's schema, and OpenAI's APIs need one. */
const FORMAT_NAME = 'response';

export function readTools(body: ObjectReader): Tool[] {
  return body.objects('tools').map((tool) => {
    const type = tool.text('type') ?? 'custom';
    if (type === 'custom') return readFunctionTool(tool);
    return { type: 'native', origin: NATIVE_ORIGIN, name: type, json: tool.node.text };
  });
}

function readFunctionTool(tool: ObjectReader): FunctionTool {
  const read: FunctionTool = {
    type: 'function',
    name: tool.textOf('name'),
    description: tool.text('description'),
    schemaText: tool.object('input_schema')?.node.text,
    isStrict: tool.flag('strict'),
    cache: readCache(tool),
  };
  for (const name of OWN_TOOL_FIELDS)
    if (tool.value(name) !== undefined) tool.warnings.lost(tool.at(name), 'has no counterpart in other APIs');
  tool.finish();
  return read;
}

export interface ReadToolChoice {
  readonly toolChoice: ToolChoice | undefined;
  readonly mayCallInParallel: boolean | undefined;
}

const MODES: ReadonlyMap<string, ToolChoice['mode']> = new Map([
  ['auto', 'auto'],
  ['any', 'required'],
  ['none', 'none'],
  ['tool', 'named'],
]);

export function readToolChoice(body: ObjectReader): ReadToolChoice {
  const choice = body.object('tool_choice');
  if (!choice) return { toolChoice: undefined, mayCallInParallel: undefined };
  const mode = MODES.get(choice.textOf('type'));
  if (mode === undefined) throw choice.refuse('type', 'must be `auto`, `any`, `tool` or `none`');
  const names = mode === 'named' ? [choice.textOf('name')] : [];
  const isSerial = choice.flag('disable_parallel_tool_use');
  choice.finish();
  return { toolChoice: { mode, names }, mayCallInParallel: isSerial === undefined ? undefined : !isSerial };
}

export interface ReadOutput {
  readonly reasoning: ReasoningOptions;
  readonly responseFormat: ResponseFormat | undefined;
}

/** `thinking`, `output_config`, and `output_format`, which was the place of the format while it was in beta. */
export function readOutput(body: ObjectReader): ReadOutput {
  const config = body.object('output_config');
  const effort = config && readEffort(config);
  const format = config?.object('format') ?? body.object('output_format');
  const responseFormat = format && readFormat(format);
  config?.finish();
  return { reasoning: { ...readThinking(body), effort }, responseFormat };
}

function readEffort(config: ObjectReader): Effort | undefined {
  const effort = config.text('effort');
  if (effort === undefined || isEffort(effort)) return effort;
  throw config.refuse('effort', 'is not a known effort');
}

function readFormat(format: ObjectReader): ResponseFormat {
  if (format.textOf('type') !== 'json_schema') throw format.refuse('type', 'must be `json_schema`');
  const schemaText = format.object('schema')?.node.text;
  format.finish();
  return { type: 'json_schema', name: FORMAT_NAME, description: undefined, schemaText, isStrict: undefined };
}

function readThinking(body: ObjectReader): Omit<ReasoningOptions, 'effort'> {
  const thinking = body.object('thinking');
  if (!thinking) return { mode: undefined, budgetTokens: undefined, summary: undefined };
  const read = {
    mode: readMode(thinking),
    budgetTokens: thinking.whole('budget_tokens'),
    summary: readDisplay(thinking),
  };
  thinking.finish();
  return read;
}

function readMode(thinking: ObjectReader): ReasoningOptions['mode'] {
  switch (thinking.textOf('type')) {
    case 'enabled':
      return 'on';
    case 'adaptive':
      return 'adaptive';
    case 'disabled':
      return 'off';
    case 'between_tools':
      thinking.warnings.changed(thinking.at('type'), 'is translated as thinking switched off');
      return 'off';
    default:
      throw thinking.refuse('type', 'must be `enabled`, `adaptive`, `disabled` or `between_tools`');
  }
}

function readDisplay(thinking: ObjectReader): ReasoningOptions['summary'] {
  const display = thinking.text('display');
  if (display === undefined) return undefined;
  if (display === 'omitted') return 'none';
  if (display !== 'summarized')
    thinking.warnings.changed(thinking.at('display'), 'is translated as thoughts shown in summary');
  return 'auto';
}
