/** Thoughts and calls in texts that clients have from elsewhere, as `--reasoning-parser` and `--tool-call-parser` name the forms. */
import { GatewayError } from '../../domain/errors.ts';
import { isObject } from '../../domain/fields.ts';
import type { FunctionTool } from '../../domain/generation.ts';
import type { ControlRequest } from '../control-request.ts';
import type { ServerDeps } from '../deps.ts';
import type { JsonAnswer } from '../json-answer.ts';
import { json } from '../json-answer.ts';

type Fields = Readonly<Record<string, unknown>>;

const MAX_TOOLS = 1_024;

/** `{text, tool_call_parser, tools}`, tools as in chat completions. What calls none of them stays in `remaining_text`. */
export async function parseFunctionCall({ parsers }: ServerDeps, request: ControlRequest): Promise<JsonAnswer> {
  const fields = await readFields(request, ['text', 'tool_call_parser', 'tools']);
  const format = readFormat(fields, 'tool_call_parser', parsers.toolFormats);
  const { text, calls } = parsers.calls(readText(fields, 'text'), format, readTools(fields['tools']));
  return json(200, {
    remaining_text: text,
    tool_calls: calls.map(({ callId, name, argumentsText }) => {
      return { id: callId, type: 'function', function: { name, arguments: argumentsText } };
    }),
    success: true,
  });
}

/** `{text, reasoning_parser}`. */
export async function parseReasoning({ parsers }: ServerDeps, request: ControlRequest): Promise<JsonAnswer> {
  const fields = await readFields(request, ['text', 'reasoning_parser']);
  const format = readFormat(fields, 'reasoning_parser', parsers.reasoningFormats);
  const { text, reasoning } = parsers.reasoning(readText(fields, 'text'), format);
  return json(200, { normal_text: text, reasoning_text: reasoning, success: true });
}

async function readFields(request: ControlRequest, known: readonly string[]): Promise<Fields> {
  const body = await request.readJson();
  if (!isObject(body)) throw new GatewayError('invalid_request', 'The body must be a JSON object.');
  const stranger = Object.keys(body).find((key) => !known.includes(key));
  if (stranger === undefined) return body;
  const param = stranger.slice(0, 64);
  throw new GatewayError('invalid_request', `\`${param}\` is no field of this; ${known.join(', ')} are.`, { param });
}

function readText(fields: Fields, param: string): string {
  const value = fields[param];
  if (typeof value === 'string') return value;
  throw new GatewayError('invalid_request', `\`${param}\` must be a text.`, { param });
}

function readFormat(fields: Fields, param: string, formats: readonly string[]): string {
  const value = readText(fields, param);
  if (formats.includes(value)) return value;
  throw new GatewayError('invalid_request', `\`${param}\` must be one of ${formats.join(', ')}.`, { param });
}

function readTools(value: unknown): FunctionTool[] {
  const param = 'tools';
  if (!Array.isArray(value))
    throw new GatewayError('invalid_request', '`tools` must be the list of tools that may be called.', { param });
  if (value.length > MAX_TOOLS)
    throw new GatewayError('invalid_request', `\`tools\` has more than ${MAX_TOOLS} tools.`, { param });
  return value.map((tool: unknown, at) => {
    const told = isObject(tool) ? tool['function'] : undefined;
    const name = isObject(told) ? told['name'] : undefined;
    if (!isObject(told) || typeof name !== 'string' || name === '') {
      const text = `\`tools[${at}]\` must be {"type": "function", "function": {"name": …, "parameters": {…}}}.`;
      throw new GatewayError('invalid_request', text, { param: `tools[${at}]` });
    }
    const { parameters } = told;
    const schemaText = isObject(parameters) ? JSON.stringify(parameters) : undefined;
    const open = { description: undefined, isStrict: undefined, cache: undefined };
    return { type: 'function', name, schemaText, ...open };
  });
}
