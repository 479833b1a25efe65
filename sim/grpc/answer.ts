/**
 * What the simulated model answers, as token ids: words made up from the prompt, or what words in the last user turn ask
 * for; and where it ends: at its end token, a stop token, a stop string or the limit.
 *
 *   prompt ids -> text -> natural answer (text, thought, calls, or bound by a constraint) + end token
 *                      -> drawn out (min tokens, ignore_eos) -> cut (max tokens, stops)
 *
 * The same request is answered alike every time. Nothing here waits for anything but the tokenizer.
 */

import { createRandom, hashText } from '../random.ts';
import { readScript, type Script, type ScriptedCall } from '../providers/script.ts';
import { OPENING_PIECES, type Piece, WORD_PIECES } from '../text/pieces.ts';
import type { Ask } from './ask.ts';
import { exampleOfConstraint } from './constraint.ts';
import { harmonyCalls, harmonyHead, speaksHarmony, thoughtMessage } from './harmony.ts';
import { beginsInThought, isThoughtless, lastUserText } from './prompt.ts';
import type { SimTokenizer } from './tokenizer.ts';

/** What stopped an answer; `isEnd`: the model's own end token, which nobody had to ask for. */
export type MatchedStop = { readonly id: number; readonly isEnd: boolean } | { readonly text: string };

/** One answer, complete. `ids` has the token that stopped it, too. */
export interface Answer {
  readonly ids: readonly number[];
  readonly finish: 'stop' | 'length';
  readonly matched: MatchedStop | undefined;
}

/** How long answers may be. */
export interface AnswerLimits {
  /** Length of a made-up answer. */
  readonly naturalTokens: number;
  /** What is left of the context. */
  readonly mostTokens: number;
}

interface Word {
  readonly ids: readonly number[];
}

const DEFAULT_THOUGHT = 'Let me think.';
const JSON_SCHEMA = { type: 'object', properties: { answer: { type: 'string' }, count: { type: 'integer' } } };
/** Always the first words of a made-up answer: they need tokens that are no whole characters. */
const BABEL = ' né ✓ 日本語 🙂';

/** The model behind one engine. */
export class Model {
  readonly tokenizer: SimTokenizer;
  readonly #openers: readonly Word[];
  readonly #words: readonly Word[];
  readonly #short: readonly Word[];
  readonly #babel: Word;
  readonly #isHarmony: boolean;

  private constructor(tokenizer: SimTokenizer, openers: readonly Word[], words: readonly Word[], babel: Word) {
    this.tokenizer = tokenizer;
    this.#openers = openers;
    this.#words = words;
    this.#short = words.filter(({ ids }) => ids.length === 1);
    this.#babel = babel;
    this.#isHarmony = speaksHarmony(tokenizer.specialTexts);
  }

  /** Prepares the vocabulary: no words are tokenized later. */
  static async create(tokenizer: SimTokenizer): Promise<Model> {
    const read = async ({ text }: Pick<Piece, 'text'>): Promise<Word> => ({ ids: await tokenizer.encode(text) });
    const [openers, words, babel] = await Promise.all([
      Promise.all(OPENING_PIECES.map(read)),
      Promise.all(WORD_PIECES.map(read)),
      read({ text: BABEL }),
    ]);
    return new Model(tokenizer, openers, words, babel);
  }

  /** The answers to a prompt whose text is known already. Throws RpcRefusal for a constraint that cannot be read. */
  answers(ask: Ask, prompt: string, limits: AnswerLimits): Promise<readonly Answer[]> {
    return Promise.all(
      Array.from({ length: ask.choices }, async (_unused, index) => {
        const random = createRandom(hashText(prompt, hashText(ask.adapter, ask.seed + index)));
        const natural = await this.#natural(ask, prompt, { limits, random });
        return this.#end(ask, natural, { limits, random });
      }),
    );
  }

  async #natural(ask: Ask, prompt: string, chance: Chance): Promise<number[]> {
    const script = readScript(lastUserText(prompt));
    const thought = this.#isHarmony ? thoughtMessage(script.think) : thoughtOf(script, prompt);
    const bound = ask.constraint === undefined ? undefined : exampleOfConstraint(ask.constraint);
    if (bound !== undefined) return [...(await this.tokenizer.encode((ask.thinksFirst ? thought : '') + bound))];
    if (script.has('recall')) return [...(await this.#encodePlain(prompt))];
    const wanted = script.longWords ?? chance.limits.naturalTokens;
    const said = saidIn(script);
    if (this.#isHarmony && script.calls.length > 0)
      return [...(await this.tokenizer.encode(harmonyCalls(script.think, said, script.calls)))];
    const before = this.#isHarmony ? harmonyHead(script.think, prompt) : thought;
    const text = [...said, ...script.calls.map(taggedCall)];
    if (text.length > 0) return [...(await this.tokenizer.encode(before + text.join('\n')))];
    const head = before === '' ? [] : await this.tokenizer.encode(before);
    return [...head, ...this.#madeUp(wanted, chance.random)];
  }

  /** Special tokens in the text are text: their names are taken apart before they are tokenized. */
  async #encodePlain(text: string): Promise<readonly number[]> {
    const parts = this.tokenizer.specialTexts.reduce<readonly string[]>(
      (pieces, special) => pieces.flatMap((piece) => takeApart(piece, special)),
      [text],
    );
    return (await Promise.all(parts.map((part) => this.tokenizer.encode(part)))).flat();
  }

  #madeUp(count: number, random: () => number): number[] {
    const ids: number[] = [...pick(this.#openers, random).ids];
    if (ids.length + this.#babel.ids.length < count) ids.push(...this.#babel.ids);
    this.#drawOut(ids, count, random);
    return ids;
  }

  /** Goes on with words to exactly `count` tokens, the last one a whole word. */
  #drawOut(ids: number[], count: number, random: () => number): void {
    while (ids.length < count) {
      const word = pick(this.#words, random);
      const fits = word.ids.length <= count - ids.length || this.#short.length === 0;
      ids.push(...(fits ? word : pick(this.#short, random)).ids);
    }
    ids.length = Math.min(ids.length, Math.max(count, 1));
  }

  async #end(ask: Ask, natural: number[], { limits, random }: Chance): Promise<Answer> {
    const most = Math.min(ask.maxTokens ?? (ask.ignoreEos ? natural.length : limits.mostTokens), limits.mostTokens);
    const end = this.tokenizer.endTokenIds[0];
    const ids = natural;
    if (ask.ignoreEos) this.#drawOut(ids, most, random);
    else if (ids.length < ask.minTokens) this.#drawOut(ids, ask.minTokens, random);
    if (!ask.ignoreEos && end !== undefined) ids.push(end);
    const byToken = this.#stopToken(ask, ids);
    const length = Math.min(byToken?.length ?? ids.length, most);
    const byText = await this.#stopText(ask, ids.slice(0, length));
    if (byText !== undefined) return byText;
    if (byToken !== undefined && byToken.length <= most) {
      const isEnd = !ask.stopTokenIds.includes(byToken.id);
      return { ids: ids.slice(0, length), finish: 'stop', matched: { id: byToken.id, isEnd } };
    }
    const isCut = ids.length > most || ask.ignoreEos;
    return { ids: ids.slice(0, length), finish: isCut ? 'length' : 'stop', matched: undefined };
  }

  #stopToken(ask: Ask, ids: readonly number[]): { readonly length: number; readonly id: number } | undefined {
    const stops = new Set([...ask.stopTokenIds, ...(ask.ignoreEos ? [] : this.tokenizer.endTokenIds)]);
    const index = ids.findIndex((id, at) => at >= ask.minTokens && stops.has(id));
    const id = ids[index];
    return id === undefined ? undefined : { length: index + 1, id };
  }

  /** The fewest tokens whose text has a stop string in it: found by halving. */
  async #stopText(ask: Ask, ids: readonly number[]): Promise<Answer | undefined> {
    const stops = ask.stop.filter((text) => text !== '');
    const found = (text: string) => stops.find((stop) => text.includes(stop));
    if (stops.length === 0 || found(await this.tokenizer.decode(ids)) === undefined) return undefined;
    let low = Math.min(ask.minTokens, ids.length - 1);
    let high = ids.length;
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if (found(await this.tokenizer.decode(ids.slice(0, middle))) === undefined) low = middle;
      else high = middle;
    }
    const matched = found(await this.tokenizer.decode(ids.slice(0, high)));
    return { ids: ids.slice(0, high), finish: 'stop', matched: matched === undefined ? undefined : { text: matched } };
  }
}

interface Chance {
  readonly limits: AnswerLimits;
  readonly random: () => number;
}

function pick(words: readonly Word[], random: () => number): Word {
  return words[Math.floor(random() * words.length)] ?? { ids: [0] };
}

/** A model that has been told not to think does not; one that is in a thought already only ends it. */
function thoughtOf(script: Script, prompt: string): string {
  if (beginsInThought(prompt)) return `${script.think ?? DEFAULT_THOUGHT}</think>`;
  return script.think === undefined || isThoughtless(prompt) ? '' : `<think>${script.think}</think>`;
}

/** What the words of the script spell out, but for calls; empty when they leave the answer to the model. */
function saidIn(script: Script): readonly string[] {
  const json = script.has('json')
    ? exampleOfConstraint({ kind: 'json_schema', text: JSON.stringify(JSON_SCHEMA) })
    : undefined;
  return [script.say, json].filter((part) => part !== undefined);
}

function taggedCall({ name, argumentsText }: ScriptedCall): string {
  return `<tool_call>\n{"name": ${JSON.stringify(name)}, "arguments": ${argumentsText}}\n</tool_call>`;
}

function takeApart(text: string, special: string): readonly string[] {
  const pieces = text.split(special);
  return pieces.flatMap((piece, index) =>
    index === 0 ? [piece] : [special.slice(0, 1), `${special.slice(1)}${piece}`],
  );
}
