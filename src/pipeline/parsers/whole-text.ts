/** Thoughts and calls in texts that are there as a whole, for those who ask for nothing else. */
import type { FoundCall } from '../../domain/answer-parsers.ts';
import type { JsonText } from '../../domain/generation.ts';
import type { ReasoningFormat, ThoughtEvent, ToolEvent, ToolFormat, ToolParserOptions } from './parser.ts';
import { createThoughtParser } from './reasoning/thought-parser.ts';

/** Without a format all of it is text. */
export function parseCalls(
  text: string,
  format: ToolFormat | undefined,
  options: ToolParserOptions,
): { readonly text: string; readonly calls: readonly FoundCall[] } {
  if (!format) return { text, calls: [] };
  const rest: string[] = [];
  const calls: { callId: string; name: string; argumentsText: JsonText }[] = [];
  const take = (event: ToolEvent) => {
    if (event.type === 'text') rest.push(event.text);
    else if (event.type === 'call-start') calls.push({ callId: event.callId, name: event.name, argumentsText: '' });
    else if (event.type === 'call-delta') {
      const call = calls.at(-1);
      if (call) call.argumentsText += event.argumentsDelta;
    }
  };
  const parser = format.create(options);
  parser.push(text, take);
  parser.end(take);
  return { text: rest.join(''), calls };
}

export function parseReasoning(
  text: string,
  format: ReasoningFormat | undefined,
): { readonly text: string; readonly reasoning: string } {
  if (!format) return { text, reasoning: '' };
  const found = { text: '', reasoning: '' };
  const take = (event: ThoughtEvent) => {
    if (event.type !== 'reasoning-end') found[event.type] += event.text;
  };
  const parser = createThoughtParser(format, { beginsInside: false, mayBeJson: false });
  parser.push(text, take);
  parser.end(take);
  return found;
}
