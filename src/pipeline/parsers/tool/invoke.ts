/** Calls as elements: a block of `<invoke name="…">`, each with `<parameter name="…">` for its arguments. */
import { TextAutomaton } from '../../text-automaton.ts';
import type { Reading } from '../text-reader.ts';
import type { CallParts } from './define.ts';
import { blocks } from './define.ts';
import { MAX_VALUE_CHARS, ParameterWriter, withoutFrame } from './parameters.ts';

export interface InvokeTags {
  /** What opens the block, up to the first call. */
  readonly opening: string;
  readonly closing: string;
  /** What stands around each call within the block. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Without the attributes and the bracket behind them. */
  readonly invoke: string;
  readonly invokeEnd: string;
  readonly parameter: string;
  readonly parameterEnd: string;
  /** Values are written with line breaks around them. */
  readonly framesValues: boolean;
  readonly escapesEntities: boolean;
  /** Behind the attributes; a closing bracket unless said. */
  readonly tagEnd?: string;
  /** Names of the attributes with the name of the tool and of the argument; `name` unless said. */
  readonly toolAttribute?: string;
  readonly keyAttribute?: string;
  /** The attribute that says whether a value is a string, and what it says then; `string="true"` unless said. */
  readonly stringAttribute?: readonly [name: string, value: string];
}

const ATTRIBUTE_CHARS = 1024;

interface Invoking extends CallParts {
  readonly tags: InvokeTags;
  readonly afterValue: TextAutomaton;
  readonly afterAttributes: TextAutomaton;
}

export function invokeGrammar(tags: InvokeTags): (parts: CallParts) => Reading {
  const { opening, closing, before, after, invoke } = tags;
  const afterValue = new TextAutomaton([tags.parameterEnd]);
  const afterAttributes = new TextAutomaton([tags.tagEnd ?? '>']);
  return function* readAnswer(answer) {
    let isInside = false;
    const read = blocks([opening, before[0] ?? invoke, closing], function* readBlock(parts, found) {
      if (found === 2) {
        if (isInside) parts.reader.drop();
        isInside = false;
        return;
      }
      if (found === 1 && !isInside) return;
      const marks = found === 0 ? [...before, invoke] : [...before, invoke].slice(1);
      if (!(yield* readMarks(parts, marks))) return;
      if (!(yield* readCall({ ...parts, tags, afterValue, afterAttributes }))) return;
      isInside = true;
      yield* readMarks(parts, after);
    });
    yield* read(answer);
  };
}

/** All of them, with white space before each. */
function* readMarks({ reader }: CallParts, marks: readonly string[]): Reading<boolean> {
  for (const mark of marks) {
    yield* reader.skipSpace();
    if (!(yield* reader.literal(mark))) return false;
  }
  return true;
}

function* readCall(invoking: Invoking): Reading<boolean> {
  const { reader, calls } = invoking;
  const name = (yield* readAttributes(invoking))?.get(invoking.tags.toolAttribute ?? 'name');
  if (!calls.isTool(name)) return false;
  reader.drop();
  calls.start(name);
  yield* reader.skipSpace();
  // DeepSeek writes all arguments as one object at times.
  if ((yield* reader.peek()) === '{') yield* readObject(invoking);
  else yield* readParameters(invoking, new ParameterWriter(calls, name));
  calls.end();
  return true;
}

function* readObject({ reader, calls, tags }: Invoking): Reading {
  yield* reader.jsonValue((piece) => calls.arguments(piece));
  yield* reader.skipSpace();
  yield* reader.literal(tags.invokeEnd);
}

function* readParameters(invoking: Invoking, parameters: ParameterWriter): Reading {
  const { reader, tags, afterValue } = invoking;
  for (;;) {
    yield* reader.skipSpace();
    if (!(yield* reader.literal(tags.parameter))) break;
    const attributes = yield* readAttributes(invoking);
    const key = attributes?.get(tags.keyAttribute ?? 'name');
    if (key === undefined) return;
    const value = yield* reader.until(afterValue, MAX_VALUE_CHARS);
    if (value.found < 0) return parameters.addCut(key, value.text);
    const [stringAttribute, yes] = tags.stringAttribute ?? ['string', 'true'];
    const said = attributes?.get(stringAttribute);
    parameters.add(key, valueOf(value.text, tags), said === undefined ? undefined : said === yes);
  }
  if ((yield* reader.literal(tags.invokeEnd)) || (yield* reader.peek()) !== undefined) parameters.close();
}

function valueOf(text: string, { framesValues, escapesEntities }: InvokeTags): string {
  const bare = framesValues ? withoutFrame(text) : text;
  return escapesEntities ? withoutEntities(bare) : bare;
}

/** Up to the end of the tag. */
function* readAttributes({ reader, afterAttributes }: Invoking): Reading<ReadonlyMap<string, string> | undefined> {
  const { text, found } = yield* reader.until(afterAttributes, ATTRIBUTE_CHARS);
  if (found < 0) return undefined;
  const attributes = new Map<string, string>();
  for (const [, name = '', double, single, bare] of text.matchAll(/(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))/g))
    attributes.set(name, withoutEntities(double ?? single ?? bare ?? ''));
  return attributes;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function withoutEntities(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ENTITIES[name] ?? '');
}
