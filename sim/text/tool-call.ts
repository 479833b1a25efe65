/**
 * The simulated model's tool use: when it calls, which tool, and with which made-up but schema-shaped arguments.
 * Reads the three tool dialects (chat, messages, responses) into one shape.
 */

import { isRecord, type JsonRecord, listOf, recordOf, stringOf } from '../json.ts';
import { createPiece, type Piece } from './pieces.ts';

/** A call the model makes. */
export interface ToolCall {
  readonly name: string;
  /** The arguments as JSON text. */
  readonly argumentsText: string;
  /** `argumentsText` cut into tokens. */
  readonly pieces: readonly Piece[];
}

interface Tool {
  readonly name: string;
  readonly schema: JsonRecord;
}

/** The call that `tools` and `tool_choice` of a body oblige the model to make; undefined when it may answer in text. */
export function requiredToolCall(body: JsonRecord): ToolCall | undefined {
  const tools = listOf(body['tools']).map(readTool);
  const choice = body['tool_choice'];
  const named = namedChoice(choice);
  const isForced = choice === 'required' || recordOf(choice)['type'] === 'any' || named !== undefined;
  const tool = isForced ? (tools.find((one) => one.name === named) ?? tools[0]) : undefined;
  return tool === undefined ? undefined : createCall(tool);
}

function readTool(value: unknown): Tool {
  const tool = recordOf(value);
  const inner = isRecord(tool['function']) ? tool['function'] : tool;
  const schema = inner['parameters'] ?? inner['input_schema'];
  return { name: stringOf(inner['name']) ?? 'tool', schema: recordOf(schema) };
}

function namedChoice(choice: unknown): string | undefined {
  const record = recordOf(choice);
  return stringOf(recordOf(record['function'])['name']) ?? stringOf(record['name']);
}

function createCall(tool: Tool): ToolCall {
  const argumentsText = exampleText(tool.schema);
  return { name: tool.name, argumentsText, pieces: cutText(argumentsText) };
}

/** A made-up object of a schema, as JSON text. */
export function exampleText(schema: JsonRecord): string {
  const values = Object.entries(recordOf(schema['properties'])).map(([name, value]) => [name, sample(value)]);
  return JSON.stringify(Object.fromEntries(values));
}

/** Any text cut into tokens. */
export function cutText(text: string): readonly Piece[] {
  return (text.match(/[^]{1,4}/gu) ?? []).map((part, index) => createPiece(part, 900 + index));
}

function sample(schema: unknown): unknown {
  const record = recordOf(schema);
  const choices = record['enum'];
  if (Array.isArray(choices) && choices.length > 0) return choices[0];
  const samples: { readonly [type: string]: unknown } = {
    string: 'Zürich',
    number: 1.5,
    integer: 7,
    boolean: true,
    array: [],
    object: {},
  };
  return samples[stringOf(record['type']) ?? ''] ?? null;
}
