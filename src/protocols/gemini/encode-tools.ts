/**
 * Tools and the choice among them as Gemini takes them: all functions in one tool, then Google's own.
 * Source: Gemini API reference, caching, `Tool`, `FunctionDeclaration` and `ToolConfig`.
 */
import { GatewayError } from '../../domain/errors.ts';
import type { FunctionTool, GenerationRequest, NativeTool, ToolChoice } from '../../domain/generation.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { raw, rawOr } from '../hub/json-text.ts';
import type { Warnings } from '../hub/object-reader.ts';
import type { ExtraMembers } from './extra-members.ts';
import { geminiSchema } from './schema.ts';

const NAME = /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/;

/** Throws `invalid_request` for a name that Gemini refuses. */
export function checkToolName(name: string, param: string): void {
  if (NAME.test(name)) return;
  const text = `\`${param}\` must begin with a letter or an underscore and have up to 128 letters, digits, _ . : or -.`;
  throw new GatewayError('invalid_request', text, { param });
}

/** Throws `invalid_request` for a name that Gemini refuses; tools of other providers are lost. */
export function encodeTools({ tools }: GenerationRequest, warnings: Warnings): JsonOut | undefined {
  const declarations: JsonOut[] = [];
  const native: JsonOut[] = [];
  for (const [index, tool] of tools.entries()) {
    const path = `tools[${index}]`;
    if (tool.type === 'function') declarations.push(encodeFunction(tool, path, warnings));
    else if (tool.origin === 'gemini') native.push(encodeNative(tool));
    else warnings.lost(path, 'is run by another provider');
  }
  const all = declarations.length > 0 ? [{ functionDeclarations: declarations }, ...native] : native;
  return all.length > 0 ? all : undefined;
}

function encodeNative({ json }: NativeTool): JsonOut {
  return raw(json);
}

function encodeFunction(tool: FunctionTool, path: string, warnings: Warnings): JsonOut {
  checkToolName(tool.name, `${path}.name`);
  if (tool.cache) warnings.changed(`${path}.cache`, 'is not sent: prompts are cached by themselves here');
  if (tool.isStrict) warnings.lost(`${path}.strict`, 'has no place in this API');
  const { name, description, schemaText } = tool;
  const schema = schemaText === undefined ? undefined : geminiSchema(schemaText, `${path}.schema`, warnings);
  return { name, description, parametersJsonSchema: rawOr(schema) };
}

/** `extras` are those of Gemini's own that stand in the same object. */
export function encodeToolConfig(
  { tools, toolChoice }: GenerationRequest,
  extras: ExtraMembers,
  warnings: Warnings,
): JsonOut | undefined {
  const hasFunctions = tools.some(({ type }) => type === 'function');
  if (toolChoice && !hasFunctions && toolChoice.mode !== 'auto' && toolChoice.mode !== 'none')
    warnings.lost('tool_choice', 'there is no function to choose');
  const calling = toolChoice && hasFunctions ? encodeChoice(toolChoice) : undefined;
  if (!calling && Object.keys(extras).length === 0) return undefined;
  return { functionCallingConfig: calling, ...extras };
}

/** Some functions of all may be named only where the model is bound to them, or checked. */
function encodeChoice({ mode, names }: ToolChoice): JsonOut {
  const allowedFunctionNames = names.length > 0 ? names : undefined;
  switch (mode) {
    case 'none':
      return { mode: 'NONE' };
    case 'auto':
      return allowedFunctionNames ? { mode: 'VALIDATED', allowedFunctionNames } : { mode: 'AUTO' };
    default:
      return { mode: 'ANY', allowedFunctionNames };
  }
}
