/** Answers that an engine was bound to write as calls and nothing else: a tool's arguments, or a list of calls. */
import type { ToolParser, ToolParserOptions } from '../parser.ts';
import { createGrammarParser } from './define.ts';
import { readJsonCall, readJsonCalls } from './json-call.ts';

/** The whole text is the arguments of this tool. */
export function createNamedParser(name: string, options: ToolParserOptions): ToolParser {
  return createGrammarParser(options, function* readNamed({ reader, calls }) {
    reader.hold();
    yield* reader.skipSpace();
    if ((yield* reader.peek()) !== '{') return;
    reader.drop();
    calls.start(name);
    yield* reader.jsonValue((piece) => calls.arguments(piece));
    calls.end();
  });
}

/** The whole text is a list of `{"name": …, "parameters": …}`. */
export function createListParser(options: ToolParserOptions): ToolParser {
  return createGrammarParser(options, function* readRequired(parts) {
    parts.reader.hold();
    yield* parts.reader.skipSpace();
    if (yield* parts.reader.literal('[')) yield* readJsonCalls(parts);
    else yield* readJsonCall(parts);
  });
}
