/**
 * Tools, the choice among them and the form of the answer, to the wire: for requests, and for answers that repeat them.
 * Source: OpenAI API reference, create a response: `tools`, `tool_choice`, `text`.
 */
import type { GenerationRequest, JsonText, ResponseFormat, Tool, ToolChoice } from '../../domain/generation.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { raw, rawOr } from '../hub/json-text.ts';
import { OWN } from './own-forms.ts';

/** What a function without arguments takes. */
const NO_ARGUMENTS = '{"type":"object","properties":{}}';

/** Undefined for a tool of another API. `strict` is always said: here, other than elsewhere, it is on by default. */
export function toolOut(tool: Tool): JsonOut | undefined {
  if (tool.type === 'native') return tool.origin === OWN ? raw(tool.json) : undefined;
  return {
    type: 'function',
    name: tool.name,
    description: tool.description,
    parameters: raw(tool.schemaText ?? NO_ARGUMENTS),
    strict: tool.isStrict ?? false,
  };
}

export function toolChoiceOut({ mode, names }: ToolChoice): JsonOut {
  const [only] = names;
  if (mode === 'named' && names.length === 1) return { type: 'function', name: only };
  if (mode === 'none' || names.length === 0) return mode === 'named' ? 'required' : mode;
  const tools = names.map((name) => ({ type: 'function', name }));
  return { type: 'allowed_tools', mode: mode === 'auto' ? 'auto' : 'required', tools };
}

export function formatOut(format: ResponseFormat, name: string): JsonOut {
  if (format.type !== 'json_schema') return { type: format.type };
  const { type, description, schemaText, isStrict } = format;
  return { type, name, description, schema: rawOr(schemaText) ?? {}, strict: isStrict };
}

/** A field of this API that was kept beside the hub. */
export function ownField({ extras }: GenerationRequest, name: string): JsonText | undefined {
  return extras.find((each) => each.origin === OWN && each.name === name)?.json;
}
