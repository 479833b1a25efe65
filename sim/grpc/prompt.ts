/**
 * Looks into a rendered prompt: where the last user turn is, whether the model is inside of a thought. Knows the turn
 * markers of the common families; a prompt without any is all user text.
 */

interface Markers {
  readonly open: string;
  readonly close: string;
}

const FAMILIES: readonly Markers[] = [
  { open: '<|im_start|>user\n', close: '<|im_end|>' },
  { open: '<|start_header_id|>user<|end_header_id|>\n\n', close: '<|eot_id|>' },
  { open: '<start_of_turn>user\n', close: '<end_of_turn>' },
  { open: '<|start|>user<|message|>', close: '<|end|>' },
  { open: '<｜User｜>', close: '<｜Assistant｜>' },
  { open: '<|user|>', close: '<|assistant|>' },
  { open: '[INST]', close: '[/INST]' },
];

/** The text of the last user turn. Cost: O(length) per family. */
export function lastUserText(prompt: string): string {
  let best = -1;
  let text = prompt;
  for (const { open, close } of FAMILIES) {
    const start = prompt.lastIndexOf(open);
    if (start <= best) continue;
    const from = start + open.length;
    const end = prompt.indexOf(close, from);
    best = start;
    text = prompt.slice(from, end < 0 ? undefined : end);
  }
  return text;
}

/** The template has opened the thought already: the model goes on with it. */
export function beginsInThought(prompt: string): boolean {
  return /<think>\s*$/.test(prompt);
}

/** The template has closed the thought as well: the model has been told not to think. */
export function isThoughtless(prompt: string): boolean {
  return /<think>\s*<\/think>\s*$/.test(prompt);
}
