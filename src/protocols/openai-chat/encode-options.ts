/** Writes tools, their choice and the form of the answer. */
import type { GenerationRequest, ResponseFormat, Tool, ToolChoice } from '../../domain/generation.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { raw, rawOr } from '../hub/json-text.ts';
import { checkToolName } from './encode-messages.ts';
import { writeCache } from './encode-parts.ts';
import type { Writing } from './encode-target.ts';
import { ORIGIN } from './field-names.ts';

type Members = { [name: string]: JsonOut | undefined };

/** `tools`, `tool_choice` and `parallel_tool_calls`, which servers refuse without tools. Throws for a bad name. */
export function writeTools(request: GenerationRequest, writing: Writing): Members {
  const allowed = allowedNames(request.toolChoice, writing);
  const tools = request.tools.flatMap((tool, index) => {
    if (allowed && !allowed.includes(tool.name)) return [];
    const written = writeTool(tool, `tools[${index}]`, writing);
    return written === undefined ? [] : [written];
  });
  if (tools.length > 0)
    return {
      tools,
      tool_choice: request.toolChoice && writeChoice(request.toolChoice, writing),
      parallel_tool_calls: request.mayCallInParallel,
    };
  const mode = request.toolChoice?.mode;
  if (mode === 'required' || mode === 'named') writing.warnings.lost('tool_choice', 'is there without a tool');
  return {};
}

/** The only tools to be sent, where the target has no other way to narrow the choice. */
function allowedNames(choice: ToolChoice | undefined, { traits, warnings }: Writing): readonly string[] | undefined {
  if (!choice || choice.names.length === 0 || choice.mode === 'named' || traits.takesOpenAiFields) return undefined;
  if (choice.mode === 'required' && choice.names.length === 1) return undefined;
  warnings.changed('tool_choice', 'is told by leaving the other tools out');
  return choice.names;
}

function writeTool(tool: Tool, field: string, writing: Writing): JsonOut | undefined {
  if (tool.type === 'native') {
    if (tool.origin === ORIGIN && writing.traits.takesOpenAiFields) return raw(tool.json);
    writing.warnings.lost(field, `is a tool of type ${tool.name}, which only its own API has`);
    return undefined;
  }
  checkToolName(tool.name, `${field}.name`, writing);
  return {
    type: 'function',
    function: {
      name: tool.name,
      description: tool.description,
      parameters: rawOr(tool.schemaText),
      strict: tool.isStrict,
    },
    ...writeCache(tool.cache, field, writing),
  };
}

function named(name: string): JsonOut {
  return { type: 'function', function: { name } };
}

function writeChoice({ mode, names }: ToolChoice, { traits }: Writing): JsonOut {
  const [first, ...more] = names;
  if (first === undefined) return mode === 'named' ? 'required' : mode;
  if (mode === 'named' || (mode === 'required' && more.length === 0 && !traits.takesOpenAiFields)) return named(first);
  if (mode === 'none' || !traits.takesOpenAiFields) return mode;
  return { type: 'allowed_tools', allowed_tools: { mode, tools: names.map(named) } };
}

/** Source: OpenAI API reference, `response_format.json_schema.name`. */
const FORMAT_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

export function writeResponseFormat(format: ResponseFormat | undefined, { traits, warnings }: Writing): Members {
  if (!format) return {};
  if (format.type !== 'json_schema') return { response_format: { type: format.type } };
  if (!traits.takesJsonSchema) {
    warnings.lost('response_format.json_schema', 'is not taken: JSON is asked for without its schema');
    return { response_format: { type: 'json_object' } };
  }
  const isNamed = FORMAT_NAME.test(format.name);
  if (!isNamed && format.name !== '') warnings.changed('response_format.name', 'has characters that are not taken');
  const schema = {
    name: isNamed ? format.name : 'response',
    description: format.description,
    schema: rawOr(format.schemaText),
    strict: format.isStrict,
  };
  return { response_format: { type: 'json_schema', json_schema: schema } };
}
