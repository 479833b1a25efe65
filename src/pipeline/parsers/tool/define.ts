/** How a format of calls is put together from a grammar. */
import { TextAutomaton } from '../../text-automaton.ts';
import type { CallPlace, ToolEvent, ToolFormat, ToolParser, ToolParserOptions } from '../parser.ts';
import type { Reading } from '../text-reader.ts';
import { GrammarParser, TextReader } from '../text-reader.ts';
import { CallWriter } from './call-writer.ts';

export interface CallParts {
  readonly reader: TextReader;
  readonly calls: CallWriter;
}

type Grammar = (parts: CallParts) => Reading;

export function createGrammarParser(options: ToolParserOptions, grammar: Grammar): ToolParser {
  return new GrammarParser<ToolEvent>((emit) => {
    const calls = new CallWriter(options, emit);
    const reader = new TextReader((text, from) => calls.text(text, from));
    return { reader, reading: whole({ reader, calls }, grammar) };
  });
}

function* whole(parts: CallParts, grammar: Grammar): Reading {
  yield* grammar(parts);
  yield* parts.reader.rest();
  parts.calls.close();
}

interface FormatDraft {
  readonly id: string;
  readonly models: readonly string[];
  readonly markers?: readonly string[];
  readonly grammar: Grammar;
  readonly callIdOf?: (call: CallPlace) => string;
}

export function defineToolFormat({ markers = [], grammar, ...rest }: FormatDraft): ToolFormat {
  return { ...rest, markers, create: (options) => createGrammarParser(options, grammar) };
}

/**
 * A grammar of blocks: text, and after each of the opening marks a block. The mark is held when the block is asked to
 * read on; a block that does not drop it makes it text again.
 */
export function blocks(openings: readonly string[], block: (parts: CallParts, found: number) => Reading): Grammar {
  const marks = new TextAutomaton(openings);
  return function* readBlocks(parts) {
    for (;;) {
      const found = yield* parts.reader.textUntil(marks);
      if (found < 0) return;
      yield* block(parts, found);
      parts.reader.tell();
    }
  };
}
