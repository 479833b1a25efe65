/**
 * Answers as gpt-oss gives them: messages on channels. Thoughts are analysis, text is final, calls and what is said
 * before them are commentary.
 */

import type { ScriptedCall } from '../providers/script.ts';

const MARKS = ['<|start|>', '<|channel|>', '<|message|>', '<|end|>', '<|call|>', '<|return|>'];
const NEXT = '<|end|><|start|>assistant';
const FINAL = '<|channel|>final<|message|>';

/** A model with these special tokens has learnt to use them. */
export function speaksHarmony(specialTexts: readonly string[]): boolean {
  return MARKS.every((mark) => specialTexts.includes(mark));
}

/** What stands before a text of the model's own. A prompt that has begun a message is gone on with. */
export function harmonyHead(think: string | undefined, prompt: string): string {
  if (prompt.lastIndexOf('<|message|>') > prompt.lastIndexOf('<|start|>')) return '';
  return `${thoughtMessage(think)}${FINAL}`;
}

/** An answer with calls in it. */
export function harmonyCalls(
  think: string | undefined,
  said: readonly string[],
  calls: readonly ScriptedCall[],
): string {
  const messages = [
    ...said.map((text) => `<|channel|>commentary<|message|>${text}`),
    ...calls.map(
      ({ name, argumentsText }) =>
        `<|channel|>commentary to=functions.${name} <|constrain|>json<|message|>${argumentsText}`,
    ),
  ];
  return `${thoughtMessage(think)}${messages.join(NEXT)}<|call|>`;
}

export function thoughtMessage(think: string | undefined): string {
  return think === undefined ? '' : `<|channel|>analysis<|message|>${think}${NEXT}`;
}
