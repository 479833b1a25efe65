/** Tools and the choice among them. Source: Anthropic API reference, Messages; tool use, forcing tool use. */
import type { FunctionTool, GenerationRequest, JsonText, ToolChoice } from '../../domain/generation.ts';
import { parseNode } from '../hub/json-node.ts';
import { fitSchema } from './fit-schema.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { jsonText, raw } from '../hub/json-text.ts';
import type { Block, Writer } from './encode-block.ts';
import { checkToolName } from './encode-parts.ts';
import { NATIVE_ORIGIN } from './wire.ts';

const NO_SCHEMA: JsonText = '{"type":"object","properties":{}}';

/** Throws `invalid_request` for a name that the API refuses. */
export function toolBlocks({ tools, toolChoice }: GenerationRequest, writer: Writer): Block[] {
  const { warnings } = writer;
  const allowed = namesToKeep(toolChoice);
  return tools.flatMap((tool, index): Block[] => {
    const field = `tools[${index}]`;
    if (tool.type === 'function') {
      if (allowed.size === 0 || allowed.has(tool.name)) return [functionTool(tool, field, writer)];
      warnings.changed(field, 'is left out, since this call may not use it and the API cannot say so otherwise');
      return [];
    }
    if (tool.origin === NATIVE_ORIGIN) return [{ members: raw(tool.json), cache: undefined, field }];
    warnings.lost(field, `is \`${tool.name}\`, a tool that only its own API has`);
    return [];
  });
}

/** A choice among some tools, but not one of them, is said by giving these alone. */
function namesToKeep(choice: ToolChoice | undefined): ReadonlySet<string> {
  if (!choice || choice.mode === 'named' || choice.mode === 'none' || isOneRequired(choice)) return new Set();
  return new Set(choice.names);
}

function isOneRequired({ mode, names }: ToolChoice): boolean {
  return mode === 'required' && names.length === 1;
}

function functionTool(tool: FunctionTool, field: string, { traits, warnings }: Writer): Block {
  checkToolName(tool.name, `${field}.name`);
  if (tool.isStrict === true && !traits.takesSchemas) warnings.lost(`${field}.strict`, 'is not known to this model');
  const typed = withType(tool.schemaText ?? NO_SCHEMA, () =>
    warnings.changed(`${field}.schema`, 'is given the type `object`'),
  );
  const isStrict = tool.isStrict === true && traits.takesSchemas;
  const { text, changes } = isStrict && traits.isClaude ? fitSchema(typed) : { text: typed, changes: [] };
  if (changes.length > 0)
    warnings.changed(`${field}.schema`, `is sent ${changes.join(' and ')}, as strict tools need it`);
  const members = {
    name: tool.name,
    description: tool.description,
    input_schema: raw(text),
    strict: traits.takesSchemas ? tool.isStrict : undefined,
  };
  return { members, cache: tool.cache, field };
}

/** The API refuses a schema that does not say that it is of an object. */
function withType(schemaText: JsonText, onChange: () => void): JsonText {
  const node = parseNode(schemaText);
  if (node.get('type') !== undefined) return schemaText;
  onChange();
  const members = [...node.members].map(([name, value]): [string, JsonOut] => [name, raw(value.text)]);
  return jsonText(new Map<string, JsonOut>([['type', 'object'], ...members]));
}

export function isForced({ tools, toolChoice }: GenerationRequest): boolean {
  return tools.length > 0 && (toolChoice?.mode === 'required' || toolChoice?.mode === 'named');
}

/** Undefined: as the model likes. Throws `invalid_request` when a named tool is none of those given. */
export function encodeToolChoice(request: GenerationRequest, toolCount: number, writer: Writer): JsonOut | undefined {
  const { toolChoice, mayCallInParallel } = request;
  const { warnings, traits } = writer;
  const isSerial = mayCallInParallel === false || undefined;
  if (toolCount === 0) {
    if (isForced(request) || toolChoice?.mode === 'required' || toolChoice?.mode === 'named')
      warnings.lost('tool_choice', 'needs tools, and there are none that this API takes');
    return undefined;
  }
  if (isForced(request) && traits.takesForcedTools === 'no') {
    warnings.changed('tool_choice', 'is set to `auto`, since the model refuses forced calls');
    return { type: 'auto', disable_parallel_tool_use: isSerial };
  }
  if (!toolChoice) return isSerial && { type: 'auto', disable_parallel_tool_use: true };
  if (toolChoice.mode === 'none') return { type: 'none' };
  const [name] = toolChoice.names;
  if (toolChoice.mode === 'named' || isOneRequired(toolChoice))
    return { type: 'tool', name, disable_parallel_tool_use: isSerial };
  return { type: toolChoice.mode === 'required' ? 'any' : 'auto', disable_parallel_tool_use: isSerial };
}
