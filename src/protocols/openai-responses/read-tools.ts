/**
 * Tools of a request and which of them may be called.
 * Source: OpenAI API reference, create a response: `tools`, `tool_choice`; function calling guide for `strict`.
 */
import type { JsonText, Tool, ToolChoice } from '../../domain/generation.ts';
import type { JsonNode } from '../hub/json-node.ts';
import type { ObjectReader } from '../hub/object-reader.ts';
import { OWN } from './own-forms.ts';
import { loseMembers } from './read-content.ts';

export function readTools(body: ObjectReader): Tool[] {
  return body.objects('tools').map(readTool);
}

function readTool(tool: ObjectReader): Tool {
  const type = tool.textOf('type');
  if (type !== 'function') {
    const name = tool.node.get('name')?.string ?? tool.node.get('server_label')?.string ?? type;
    return { type: 'native', origin: OWN, name, json: tool.node.text };
  }
  const read: Tool = {
    type,
    name: tool.textOf('name'),
    description: tool.text('description'),
    schemaText: tool.object('parameters')?.node.text,
    isStrict: tool.flag('strict'),
    cache: undefined,
  };
  loseMembers(tool, ['output_schema', 'defer_loading', 'allowed_callers', 'async']);
  tool.finish();
  return read;
}

/** `raw` is set instead of `choice` for what only this API can choose from. */
export interface ReadChoice {
  readonly choice: ToolChoice | undefined;
  readonly raw: JsonText | undefined;
}

export function readToolChoice(body: ObjectReader): ReadChoice | undefined {
  const node = body.value('tool_choice');
  if (node === undefined) return undefined;
  if (node.string !== undefined) {
    const mode = (['auto', 'none', 'required'] as const).find((each) => each === node.string);
    if (mode === undefined) throw body.refuse('tool_choice', 'must be auto, none, required or an object');
    return { choice: { mode, names: [] }, raw: undefined };
  }
  const reader = body.object('tool_choice');
  const choice = reader && chosenFunctions(reader);
  if (choice === undefined) return { choice: undefined, raw: node.text };
  reader?.finish();
  return { choice, raw: undefined };
}

function chosenFunctions(reader: ObjectReader): ToolChoice | undefined {
  const type = reader.textOf('type');
  if (type === 'function') return { mode: 'named', names: [reader.textOf('name')] };
  if (type !== 'allowed_tools') return undefined;
  const mode = reader.text('mode') === 'required' ? 'required' : 'auto';
  const names = reader.list('tools').map(functionName);
  return names.includes(undefined) ? undefined : { mode, names: names.filter((name) => name !== undefined) };
}

function functionName(tool: JsonNode): string | undefined {
  return tool.get('type')?.string === 'function' ? tool.get('name')?.string : undefined;
}
