/** The parsers of answers for those who have a whole text and ask for nothing else. */
import type { Random } from '../base/random.ts';
import type { AnswerParsers } from '../domain/answer-parsers.ts';
import { newId } from '../dispatch/translation/new-id.ts';
import { REASONING_FORMAT_IDS, selectReasoningParser } from '../pipeline/parsers/reasoning/index.ts';
import { selectToolParser, TOOL_FORMAT_IDS } from '../pipeline/parsers/tool/index.ts';
import { parseCalls, parseReasoning } from '../pipeline/parsers/whole-text.ts';

export function answerParsers(random: Random): AnswerParsers {
  return {
    toolFormats: TOOL_FORMAT_IDS,
    reasoningFormats: REASONING_FORMAT_IDS,
    calls: (text, id, tools) => {
      const format = selectToolParser('', id);
      let index = -1;
      const newCallId = (name: string) => {
        index += 1;
        return format?.callIdOf?.({ name, index, newId: fresh }) ?? fresh('call_');
      };
      return parseCalls(text, format, { tools, newCallId });
    },
    reasoning: (text, id) => parseReasoning(text, selectReasoningParser('', id)),
  };

  function fresh(prefix: string): string {
    return newId(prefix, random);
  }
}
