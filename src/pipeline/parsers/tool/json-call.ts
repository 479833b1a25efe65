/**
 * A call written as a JSON object: a name and arguments, in any order and with other members beside them. The arguments
 * are told as they come and as they are written. Members go by the names that models use.
 */
import type { Reading, TextReader } from '../text-reader.ts';
import type { CallParts } from './define.ts';

const NAMES = new Set(['name', 'function', 'tool_name']);
const ARGUMENTS = new Set(['arguments', 'parameters', 'args']);
/** What else stands in calls. */
const OTHERS = new Set(['type', 'id', 'index', 'tool_call_id']);

interface CallDraft {
  name: string | undefined;
  /** Arguments that came before the name. */
  argumentsText: string | undefined;
  hasStarted: boolean;
  /** It is none, or none that may be made: it is text. */
  isText: boolean;
  /** No mark says that it is a call: members that no call has say that it is none. */
  readonly isBare: boolean;
}

/**
 * Reads an object if one stands here, held until it is known to be a call. True: it was one. Else all of it is text, and
 * has been told as such as far as it was read. `isBare`: no mark stands before it; then it needs arguments too.
 */
export function* readJsonCall(parts: CallParts, isBare = false): Reading<boolean> {
  return (yield* parts.reader.literal('{')) ? yield* readOpenedCall(parts, isBare) : false;
}

/** The same when the opening brace has been read. */
export function* readOpenedCall(parts: CallParts, isBare: boolean): Reading<boolean> {
  const { reader, calls } = parts;
  const draft: CallDraft = { name: undefined, argumentsText: undefined, hasStarted: false, isText: false, isBare };
  const isWhole = yield* readMembers(parts, draft);
  const mayStart = isWhole && (!isBare || draft.argumentsText !== undefined);
  if (!draft.hasStarted && !draft.isText && mayStart) startCall(parts, draft);
  if (!draft.hasStarted) {
    reader.tell();
    return false;
  }
  calls.end();
  return true;
}

/** True: the object is closed. The opening brace has been read. */
function* readMembers(parts: CallParts, draft: CallDraft): Reading<boolean> {
  const { reader } = parts;
  yield* reader.skipSpace();
  if (yield* reader.literal('}')) return true;
  for (;;) {
    const key = yield* readString(reader);
    if (key === undefined || (draft.isBare && !draft.hasStarted && !isOfCalls(key))) return false;
    yield* reader.skipSpace();
    if (!(yield* reader.literal(':'))) return false;
    yield* reader.skipSpace();
    if (!(yield* readMember(parts, draft, key))) return false;
    yield* reader.skipSpace();
    if (yield* reader.literal('}')) return true;
    if (!(yield* reader.literal(','))) return false;
    yield* reader.skipSpace();
  }
}

function isOfCalls(key: string): boolean {
  return NAMES.has(key) || ARGUMENTS.has(key) || OTHERS.has(key);
}

/** False: the object cannot be read on. */
function* readMember(parts: CallParts, draft: CallDraft, key: string): Reading<boolean> {
  const { reader } = parts;
  const first = yield* reader.peek();
  // OpenAI's own form: {"type": "function", "function": {"name": …, "arguments": …}}.
  if (key === 'function' && (yield* reader.literal('{'))) return yield* readMembers(parts, draft);
  if (NAMES.has(key) && draft.name === undefined && first === '"') return yield* readName(parts, draft);
  const isArguments = ARGUMENTS.has(key) && !draft.hasStarted && draft.argumentsText === undefined && !draft.isText;
  if (isArguments) return yield* readArguments(parts, draft, first);
  return yield* reader.jsonValue(() => undefined);
}

function* readName({ reader, calls }: CallParts, draft: CallDraft): Reading<boolean> {
  draft.name = yield* readString(reader);
  if (!calls.isTool(draft.name)) {
    draft.isText = true;
    reader.tell();
  }
  return draft.name !== undefined;
}

function* readArguments(parts: CallParts, draft: CallDraft, first: string | undefined): Reading<boolean> {
  const { reader, calls } = parts;
  if (first === '{' && draft.name !== undefined) {
    startCall(parts, draft);
    return yield* reader.jsonValue((piece) => calls.arguments(piece));
  }
  const pieces: string[] = [];
  const isWhole = yield* reader.jsonValue((piece) => pieces.push(piece));
  const text = objectText(pieces.join(''));
  if (text === undefined) {
    draft.isText = true;
    reader.tell();
  } else {
    draft.argumentsText = text;
    if (draft.name !== undefined && isWhole) startCall(parts, draft);
  }
  return isWhole;
}

/** Some models write the object once more as a string, and none at all as null. */
function objectText(text: string): string | undefined {
  if (text.startsWith('{')) return text;
  if (text === 'null') return '{}';
  const inner = text.startsWith('"') ? stringValue(text)?.trim() : undefined;
  if (inner === '') return '{}';
  return inner?.startsWith('{') ? inner : undefined;
}

function startCall({ reader, calls }: CallParts, draft: CallDraft): void {
  if (!calls.isTool(draft.name)) return;
  draft.hasStarted = true;
  reader.drop();
  calls.start(draft.name);
  calls.arguments(draft.argumentsText ?? '');
}

/** The value of a string that stands here; undefined: there is none. */
export function* readString(reader: TextReader): Reading<string | undefined> {
  if ((yield* reader.peek()) !== '"') return undefined;
  const pieces: string[] = [];
  yield* reader.jsonValue((piece) => pieces.push(piece));
  return stringValue(pieces.join(''));
}

function stringValue(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : undefined;
  } catch {
    // The model wrote no JSON: what depends on it stays text.
    return undefined;
  }
}

/** Calls with commas between them, up to the bracket that closes the list; the opening one has been read and is held. */
export function* readJsonCalls(parts: CallParts, isBare = false): Reading<boolean> {
  const { reader } = parts;
  for (;;) {
    yield* reader.skipSpace();
    if (!(yield* readJsonCall(parts, isBare))) return false;
    reader.hold();
    yield* reader.skipSpace();
    if (yield* reader.literal(']')) break;
    if (!(yield* reader.literal(','))) return false;
  }
  reader.drop();
  return true;
}
