/**
 * The words in a user's text that tell the simulated model what to answer.
 *
 *   #tool:NAME {json}   call that tool (several words: parallel calls; without JSON: no arguments)
 *   #say TEXT           answer exactly TEXT (to the end of the line), before any tool call
 *   #think TEXT         think first, this thought
 *   #redacted           a redacted thought besides the thought
 *   #refuse TEXT        refuse in the provider's way, with these words
 *   #block              the prompt itself is blocked
 *   #json               answer with JSON that fits the schema asked for
 *   #long N             answer with N words
 *   #ping  #unknown     keep-alives, and events of types nobody knows, at odd places of the stream
 *   #cite               the answer carries a citation
 *   #cached N           N tokens of the prompt came from the cache
 *   #pause              the provider ends its turn early (Anthropic's pause_turn)
 *   #recall             answer with the whole conversation as it arrived, one item a line
 *
 * Pure. A word counts wherever it stands in the last user turn.
 */

/** A tool call asked for by the script; the text of its arguments is kept to the letter. */
export interface ScriptedCall {
  readonly name: string;
  readonly argumentsText: string;
}

/** What the words of a text ask for. */
export interface Script {
  readonly calls: readonly ScriptedCall[];
  readonly say: string | undefined;
  readonly think: string | undefined;
  readonly refuse: string | undefined;
  readonly longWords: number | undefined;
  readonly cachedTokens: number | undefined;
  has(word: 'redacted' | 'block' | 'json' | 'ping' | 'unknown' | 'cite' | 'pause' | 'recall'): boolean;
}

const MOST_WORDS = 100_000;
const DEFAULT_REFUSAL = "I'm sorry, I can't help with that.";

/** Reads the words of one text. Cost: O(length) per word found. */
export function readScript(text: string): Script {
  return {
    calls: readCalls(text),
    say: lineBehind(text, '#say'),
    think: lineBehind(text, '#think'),
    refuse: lineBehind(text, '#refuse', DEFAULT_REFUSAL),
    longWords: numberBehind(text, '#long', MOST_WORDS),
    cachedTokens: numberBehind(text, '#cached', Number.MAX_SAFE_INTEGER),
    has: (word) => new RegExp(`#${word}\\b`).test(text),
  };
}

/** The rest of the line behind a word, up to the next word; `fallback` (or nothing) when there is no rest. */
function lineBehind(text: string, word: string, fallback = ''): string | undefined {
  const match = new RegExp(`${word}\\b[ \\t]*([^\\n]*)`).exec(text);
  if (match === null) return undefined;
  const line = (match[1] ?? '').split(/ ?#(?=[a-z])/, 1)[0] ?? '';
  return line === '' ? fallback : line;
}

function numberBehind(text: string, word: string, most: number): number | undefined {
  const match = new RegExp(`${word} (\\d+)`).exec(text);
  return match === null ? undefined : Math.min(Number(match[1]), most);
}

function readCalls(text: string): readonly ScriptedCall[] {
  return [...text.matchAll(/#tool:([a-zA-Z0-9_.-]+)[ \t]*/g)].map((match) => ({
    name: match[1] ?? '',
    argumentsText: objectAt(text, match.index + match[0].length) ?? '{}',
  }));
}

/** The JSON object that starts at that place, to the letter. */
function objectAt(text: string, start: number): string | undefined {
  if (text[start] !== '{') return undefined;
  for (let end = text.indexOf('}', start); end >= 0; end = text.indexOf('}', end + 1)) {
    const candidate = text.slice(start, end + 1);
    if (isJson(candidate)) return candidate;
  }
  return undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // A brace inside a string or an inner object: the caller tries the next one.
    return false;
  }
}
