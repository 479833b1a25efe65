/** The tools that a model is told of, in OpenAI's form, which chat templates know. */
import { GatewayError } from '../../domain/errors.ts';
import type { FunctionTool, GenerationRequest, JsonText, TranslationWarning } from '../../domain/generation.ts';

export interface OfferedTools {
  /** Those that may be called; empty when there are none, or none may be called. */
  readonly tools: readonly FunctionTool[];
  readonly text: JsonText | undefined;
  readonly warnings: readonly TranslationWarning[];
}

/** `isDescribed`: every tool has a description, an empty one if need be. Throws `invalid_request` for a choice that names no tool of the request. */
export function offeredTools({ tools, toolChoice }: GenerationRequest, isDescribed: boolean): OfferedTools {
  const functions = tools.flatMap((tool) => (tool.type === 'function' ? [tool] : []));
  const warnings = tools.flatMap((tool): TranslationWarning[] =>
    tool.type === 'native'
      ? [{ kind: 'lost', field: 'tools', reason: `has ${tool.name}, which only its own API can run` }]
      : [],
  );
  if (toolChoice?.mode === 'required' || toolChoice?.mode === 'named') checkNamed(functions, toolChoice.names);
  const offered = toolChoice?.mode === 'none' ? [] : functions.filter(({ name }) => mayBeCalled(toolChoice, name));
  const text = offered.length > 0 ? `[${offered.map((tool) => writeTool(tool, isDescribed)).join(',')}]` : undefined;
  return { tools: offered, text, warnings };
}

function mayBeCalled(choice: GenerationRequest['toolChoice'], name: string): boolean {
  return choice === undefined || choice.names.length === 0 || choice.names.includes(name);
}

function checkNamed(tools: readonly FunctionTool[], names: readonly string[]): void {
  if (tools.length === 0)
    throw new GatewayError('invalid_request', '`tool_choice` asks for a call, and there are no `tools`.', {
      param: 'tool_choice',
    });
  const stranger = names.find((name) => !tools.some((tool) => tool.name === name));
  if (stranger === undefined) return;
  const text = `\`tool_choice\` names ${JSON.stringify(stranger)}, which is none of the \`tools\`.`;
  throw new GatewayError('invalid_request', text, { param: 'tool_choice' });
}

function writeTool({ name, description: given, schemaText, isStrict }: FunctionTool, isDescribed: boolean): JsonText {
  const description = given ?? (isDescribed ? '' : undefined);
  const members = [`"name":${JSON.stringify(name)}`];
  if (description !== undefined) members.push(`"description":${JSON.stringify(description)}`);
  members.push(`"parameters":${schemaText ?? '{"type":"object","properties":{}}'}`);
  if (isStrict !== undefined) members.push(`"strict":${isStrict}`);
  return `{"type":"function","function":{${members.join(',')}}}`;
}
