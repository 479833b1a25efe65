/** Reads `messages` into turns, tool results and legacy function calls included. */
import type {
  CacheMark,
  JsonText,
  Part,
  ReasoningPart,
  Signature,
  ToolCallPart,
  ToolResultPart,
  Turn,
} from '../../domain/generation.ts';
import type { ObjectReader } from '../hub/object-reader.ts';
import { readCache, readContent, textPart } from './decode-parts.ts';
import { ORIGIN } from './field-names.ts';
import { detailOf, readThoughts } from './reasoning-details.ts';
import type { Thoughts } from './reasoning-details.ts';

/** What earlier messages said, for those that refer to them. */
interface History {
  /** Names of tools by the ids of their calls. */
  readonly names: Map<string, string>;
  /** The newest call in the old form, by name: its result has no id. */
  readonly functionCalls: Map<string, string>;
}

/** All turns of the body. Throws for roles that chat completions do not have. */
export function readTurns(body: ObjectReader): Turn[] {
  const history: History = { names: new Map(), functionCalls: new Map() };
  return body.objects('messages').map((message, index) => {
    const turn = readTurn(message, history, index);
    message.finish();
    return turn;
  });
}

function readTurn(message: ObjectReader, history: History, index: number): Turn {
  const role = message.textOf('role');
  if (role === 'assistant') return readAssistant(message, history, index);
  if (role === 'tool' || role === 'function') return readResult(message, history, role);
  if (role !== 'system' && role !== 'developer' && role !== 'user')
    throw message.refuse('role', 'must be system, developer, user, assistant, tool or function');
  const { parts, isPlain } = readContent(message);
  return { role, parts: withCache(parts, readCache(message)), isPlain, name: message.text('name') };
}

/** A mark of the message stands on its last part. */
function withCache(parts: readonly Part[], cache: CacheMark | undefined): readonly Part[] {
  const last = parts.at(-1);
  if (!cache || !last || !('cache' in last)) return parts;
  return [...parts.slice(0, -1), { ...last, cache }];
}

function readAssistant(message: ObjectReader, history: History, index: number): Turn {
  const calls = [...readCalls(message), ...readFunctionCall(message, history, index)];
  for (const call of calls) if (call.type === 'tool_call') history.names.set(call.callId, call.name);
  const ids = new Set(calls.flatMap((call) => (call.type === 'tool_call' ? [call.callId] : [])));
  const thoughts = readDetails(message, ids);
  const content = readContent(message);
  const refusal = message.text('refusal');
  const audio = message.raw('audio');
  // What the answer said of its own text; no model reads it again.
  message.ignore('annotations');
  const parts: Part[] = [
    ...addPlainThoughts(message, thoughts.parts),
    ...content.parts,
    ...(refusal === undefined ? [] : [{ type: 'refusal', text: refusal } as const]),
    ...(audio === undefined ? [] : [{ type: 'native', origin: ORIGIN, name: 'audio', json: audio } as const]),
    ...calls.map((call) => signed(call, thoughts.callSignatures)),
  ];
  return {
    role: 'assistant',
    parts: withCache(parts, readCache(message)),
    isPlain: content.isPlain,
    name: message.text('name'),
  };
}

function signed(call: Part, signatures: ReadonlyMap<string, Signature>): Part {
  if (call.type !== 'tool_call' || call.signature) return call;
  return { ...call, signature: signatures.get(call.callId) };
}

function readDetails(message: ObjectReader, callIds: ReadonlySet<string>): Thoughts {
  const nodes = message.list('reasoning_details');
  const thoughts = readThoughts(
    nodes.map(({ text }) => detailOf(JSON.parse(text))),
    callIds,
  );
  for (const index of thoughts.lost)
    message.warnings.lost(
      `${message.at('reasoning_details')}[${index}]`,
      'is of no provider known, so that nobody can check it',
    );
  return thoughts;
}

/** The same thoughts as one text stand beside the list; what only the text has comes first. */
function addPlainThoughts(message: ObjectReader, parts: readonly ReasoningPart[]): readonly ReasoningPart[] {
  const own = message.text('reasoning_content');
  const other = message.text('reasoning');
  if (own !== undefined && other !== undefined && own !== other)
    message.warnings.lost(message.at('reasoning'), 'stands beside `reasoning_content`, which counts');
  const text = own ?? other ?? '';
  const known = parts.map((part) => part.text).join('');
  if (text === '' || known === text || known.includes(text)) return parts;
  const rest = text.endsWith(known) ? text.slice(0, text.length - known.length) : text;
  return [{ type: 'reasoning', text: rest, signature: undefined, isRedacted: false, itemId: undefined }, ...parts];
}

function readCalls(message: ObjectReader): Part[] {
  return message.objects('tool_calls').map((call): Part => {
    const type = call.text('type') ?? 'function';
    if (type !== 'function') return { type: 'native', origin: ORIGIN, name: `${type}_tool_call`, json: call.node.text };
    const made = call.object('function');
    if (!made) throw call.refuse('function', 'is missing');
    const part: ToolCallPart = {
      type: 'tool_call',
      callId: call.textOf('id'),
      name: made.textOf('name'),
      argumentsText: argumentsOf(made),
      signature: readCallSignature(call),
      cache: readCache(call),
    };
    call.ignore('index');
    made.finish();
    call.finish();
    return part;
  });
}

/** A text that holds JSON; some clients send the object itself. Nothing at all is a call without arguments. */
function argumentsOf(call: ObjectReader): JsonText {
  const node = call.value('arguments');
  if (node?.kind === 'object') return node.text;
  const text = call.text('arguments') ?? '';
  return text.trim() === '' ? '{}' : text;
}

/** Where Gemini's own chat completions keep the signature of a call. */
function readCallSignature(call: ObjectReader): Signature | undefined {
  const extra = call.object('extra_content');
  const google = extra?.object('google');
  const value = google?.text('thought_signature');
  google?.finish();
  extra?.finish();
  return value === undefined ? undefined : { origin: 'gemini', value };
}

/** The form before `tool_calls`: one call, without an id. */
function readFunctionCall(message: ObjectReader, history: History, index: number): ToolCallPart[] {
  const call = message.object('function_call');
  if (!call) return [];
  const name = call.textOf('name');
  const callId = `call_function_${index}`;
  history.functionCalls.set(name, callId);
  const argumentsText = argumentsOf(call);
  call.finish();
  return [{ type: 'tool_call', callId, name, argumentsText, signature: undefined, cache: undefined }];
}

function readResult(message: ObjectReader, history: History, role: 'tool' | 'function'): Turn {
  const name = message.text('name');
  const { parts, isPlain } = readContent(message);
  const callId =
    role === 'tool'
      ? message.textOf('tool_call_id')
      : (history.functionCalls.get(name ?? '') ?? `call_function_${name ?? ''}`);
  const result: ToolResultPart = {
    type: 'tool_result',
    callId,
    name: name ?? history.names.get(callId),
    parts: parts.flatMap((part) => resultPart(part, message)),
    isPlain,
    isError: false,
    responseText: undefined,
    cache: readCache(message),
  };
  return { role: 'tool', parts: [result], isPlain: true, name: undefined };
}

function resultPart(part: Part, message: ObjectReader): ToolResultPart['parts'] {
  if (part.type === 'text' || part.type === 'image' || part.type === 'file') return [part];
  if (part.type === 'refusal') return [textPart(part.text, undefined)];
  message.warnings.lost(message.at('content'), `cannot have a part of type ${part.type} in the result of a tool`);
  return [];
}
