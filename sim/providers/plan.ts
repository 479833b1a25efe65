/**
 * What the simulated model answers: decided here once, for all providers, from the conversation and its script words.
 * Pure. The encoders of the providers only word the plan.
 *
 * Usage can be computed by a test: four UTF-16 units are one token, sums are rounded up once.
 *   prompt     all texts, thoughts, call names and arguments, results; 400 units for each image or document
 *   output     the text or refusal and the arguments of calls
 *   reasoning  the thought
 */

import { isRecord } from '../json.ts';
import { exampleOf } from './example.ts';
import { readScript, type Script, type ScriptedCall } from './script.ts';
import { describeMedia, type Item, lastTurn, renderResult, renderTranscript, unitsOf } from './transcript.ts';

/** A tool the model may call. */
export interface OfferedTool {
  readonly name: string;
  readonly schema: unknown;
}

/** What a request asks of the model, in no provider's words. */
export interface Asked {
  readonly model: string;
  readonly items: readonly Item[];
  readonly tools: readonly OfferedTool[];
  /** `required`: some tool; a name: that one. */
  readonly toolChoice: 'auto' | 'none' | 'required' | { readonly name: string };
  readonly isParallel: boolean;
  readonly thinking: 'asked' | 'unsaid' | 'off';
  /** The schema a structured answer must satisfy; `true`: any JSON object. */
  readonly schema: unknown;
  readonly maxTokens: number | undefined;
  readonly stop: readonly string[];
}

/** Why the model stopped. */
export type Finish = 'stop' | 'length' | 'calls' | 'refusal' | 'pause' | 'stop_sequence';

/** Token counts in the simulator's own terms: `prompt` includes `cached`, `output` excludes `reasoning`. */
export interface PlannedUsage {
  readonly prompt: number;
  readonly cached: number;
  readonly output: number;
  readonly reasoning: number;
}

/** An answer, not yet in any provider's words. Parts come in this order: thought, text, calls. */
export interface Plan {
  readonly model: string;
  readonly thought: string | undefined;
  readonly isRedacted: boolean;
  readonly text: string;
  readonly calls: readonly ScriptedCall[];
  readonly refusal: string | undefined;
  readonly isBlocked: boolean;
  readonly finish: Finish;
  readonly stopSequence: string | undefined;
  readonly hasPings: boolean;
  readonly hasUnknown: boolean;
  readonly hasCitation: boolean;
  readonly usage: PlannedUsage;
}

const UNITS_PER_TOKEN = 4;
/** Ends default answers: two, three and four UTF-8 bytes per character, so that cuts inside characters happen. */
const TAIL = 'né ✓ 日本語 🙂';

/** Tokens of that many UTF-16 units. */
export function tokensOf(units: number): number {
  return Math.ceil(units / UNITS_PER_TOKEN);
}

/** The answer to a plain text without script words. */
export function echoOf(text: string): string {
  return `Echo: ${text} ${TAIL}`;
}

/** Decides the answer. `isThinker`: the model thinks unless told not to. */
export function planAnswer(asked: Asked, isThinker = false): Plan {
  const turn = lastTurn(asked.items);
  const script = readScript(userText(turn));
  const thought = planThought(asked, script, isThinker, turn);
  const isRefused = script.refuse !== undefined || script.has('block');
  const calls = isRefused ? [] : planCalls(asked, script);
  const wanted = isRefused ? '' : planText(asked, script, turn, calls);
  const cut = cutText(asked, wanted, tokensOf(thought?.length ?? 0));
  const made = cut.finish === 'stop' ? calls : [];
  const said = cut.text + (script.refuse ?? '') + made.map((call) => call.argumentsText).join('');
  const prompt = tokensOf(asked.items.reduce((sum, item) => sum + unitsOf(item), 0));
  return {
    model: asked.model,
    thought,
    isRedacted: thought !== undefined && script.has('redacted'),
    ...cut,
    calls: made,
    refusal: script.refuse,
    isBlocked: script.has('block'),
    finish: finishOf(cut.finish, isRefused, calls.length > 0, script),
    hasPings: script.has('ping'),
    hasUnknown: script.has('unknown'),
    hasCitation: script.has('cite'),
    usage: {
      prompt,
      cached: Math.min(script.cachedTokens ?? 0, prompt),
      output: tokensOf(said.length),
      reasoning: tokensOf(thought?.length ?? 0),
    },
  };
}

function userText(turn: readonly Item[]): string {
  return turn.flatMap((item) => (item.kind === 'text' && item.role === 'user' ? [item.text] : [])).join('\n');
}

function planThought(asked: Asked, script: Script, isThinker: boolean, turn: readonly Item[]): string | undefined {
  if (asked.thinking === 'off') return undefined;
  const isAsked = asked.thinking === 'asked' || isThinker;
  if (script.think === undefined && !script.has('redacted') && !isAsked) return undefined;
  return script.think === undefined || script.think === '' ? `Let me think about: ${userText(turn)} 🤔` : script.think;
}

function planCalls(asked: Asked, script: Script): readonly ScriptedCall[] {
  const { toolChoice, tools } = asked;
  if (toolChoice === 'none' || tools.length === 0) return [];
  const forced = typeof toolChoice === 'object' ? toolChoice.name : undefined;
  const offered = script.calls.filter(
    ({ name }) => tools.some((tool) => tool.name === name) && (forced ?? name) === name,
  );
  const first = tools.find((tool) => tool.name === forced) ?? tools[0];
  if (offered.length === 0 && toolChoice !== 'auto' && first !== undefined) {
    const example = exampleOf(first.schema);
    return [{ name: first.name, argumentsText: JSON.stringify(isRecord(example) ? example : {}) }];
  }
  return asked.isParallel ? offered : offered.slice(0, 1);
}

function planText(asked: Asked, script: Script, turn: readonly Item[], calls: readonly ScriptedCall[]): string {
  if (script.say !== undefined) return script.say;
  if (calls.length > 0) return '';
  if (asked.schema !== undefined || script.has('json')) return jsonText(asked);
  if (script.has('recall')) return renderTranscript(asked.items);
  if (script.longWords !== undefined) return Array.from({ length: script.longWords }, (_, at) => `word${at}`).join(' ');
  const missing = script.calls.map(({ name }) => `[no tool ${name} may be called] `).join('');
  const results = turn.flatMap((item) => (item.kind === 'result' ? [renderResult(item)] : []));
  const media = turn.flatMap((item) => (item.kind === 'media' ? [` ${describeMedia(item.media)}`] : []));
  const text = userText(turn);
  if (results.length > 0 && text === '') return `Results: ${results.join('; ')}${media.join('')}`;
  const before = results.length > 0 ? `Results: ${results.join('; ')}. ` : '';
  return before + missing + echoOf(text + media.join(''));
}

function jsonText(asked: Asked): string {
  const example = asked.schema === undefined || asked.schema === true ? { answer: 'Zürich' } : exampleOf(asked.schema);
  return JSON.stringify(example);
}

interface Cut {
  readonly text: string;
  readonly finish: 'stop' | 'length' | 'stop_sequence';
  readonly stopSequence: string | undefined;
}

/** Ends the text at a stop sequence or at the limit; thinking counts towards the limit, one token is always left. */
function cutText(asked: Asked, text: string, thoughtTokens: number): Cut {
  const stops = asked.stop.filter((stop) => stop !== '' && text.includes(stop));
  const [stop] = stops.toSorted((one, other) => text.indexOf(one) - text.indexOf(other));
  const stopped = stop === undefined ? text : text.slice(0, text.indexOf(stop));
  const most = asked.maxTokens === undefined ? Infinity : Math.max(1, asked.maxTokens - thoughtTokens);
  if (tokensOf(stopped.length) > most) {
    return { text: wholeCharacters(stopped, most * UNITS_PER_TOKEN), finish: 'length', stopSequence: undefined };
  }
  return { text: stopped, finish: stop === undefined ? 'stop' : 'stop_sequence', stopSequence: stop };
}

function wholeCharacters(text: string, units: number): string {
  const isSplit = /[\uD800-\uDBFF]/.test(text[units - 1] ?? '');
  return text.slice(0, isSplit ? units - 1 : units);
}

function finishOf(cut: Cut['finish'], isRefused: boolean, hasCalls: boolean, script: Script): Finish {
  if (isRefused) return 'refusal';
  if (cut !== 'stop') return cut;
  if (hasCalls) return 'calls';
  return script.has('pause') ? 'pause' : 'stop';
}
