/**
 * The cells of the matrix, the proxies of the other scenarios, and the words of --only that choose among them.
 * Shapes  CASES · chooseCases(words) → { cases, targets } · chooseWords(words, known) → words
 * Errors  throws on a word that names nothing, with the list of those that do
 */
import { TARGET_NAMES, type TargetName } from './rig/targets.ts';

export interface Case {
  readonly name: string;
  readonly stream: boolean;
  readonly bodyKb: number;
  readonly connections: number;
}

const SHAPES = [
  { connections: 1, bodyKb: 1 },
  { connections: 32, bodyKb: 1 },
  { connections: 256, bodyKb: 1 },
  { connections: 32, bodyKb: 20 },
  { connections: 32, bodyKb: 200 },
] as const;

export const CASES: readonly Case[] = [false, true].flatMap((stream) =>
  SHAPES.map((shape) => ({ ...shape, stream, name: caseName({ ...shape, stream }) })),
);

export interface Choice {
  readonly cases: readonly Case[];
  readonly targets: readonly TargetName[];
}

/** Words of one kind widen the choice, words of different kinds narrow it: `unary,1KB,32,bare,gateway`. */
export function chooseCases(words: readonly string[]): Choice {
  const known = [...new Set(CASES.flatMap(wordsOf)), ...TARGET_NAMES];
  const unknown = words.filter((word) => !known.includes(word));
  if (unknown.length > 0) throw new Error(`--only knows ${known.join(', ')}; not ${unknown.join(', ')}`);
  const allows = (kind: number, word: string) => {
    const wanted = words.filter((each) => CASES.some((one) => wordsOf(one)[kind] === each));
    return wanted.length === 0 || wanted.includes(word);
  };
  const targets = TARGET_NAMES.filter((name) => words.includes(name));
  return {
    cases: CASES.filter((one) => wordsOf(one).every((word, kind) => allows(kind, word))),
    targets: targets.length === 0 ? TARGET_NAMES : targets,
  };
}

/** Every scenario but the matrix compares these two. */
export const PROXIES = ['bare', 'gateway'] as const satisfies readonly TargetName[];

/** Those of `known` that were asked for, in their own order; all of them when none was. */
export function chooseWords<Word extends string>(words: readonly string[], known: readonly Word[]): readonly Word[] {
  const unknown = words.filter((word) => !known.some((each) => each === word));
  if (unknown.length > 0) throw new Error(`--only knows ${known.join(', ')} here; not ${unknown.join(', ')}`);
  return words.length === 0 ? known : known.filter((word) => words.includes(word));
}

function wordsOf(one: Case): string[] {
  return [one.stream ? 'stream' : 'unary', `${one.bodyKb}KB`, String(one.connections)];
}

function caseName(shape: Omit<Case, 'name'>): string {
  return `${shape.stream ? 'stream' : 'unary'} ${shape.bodyKb} KB × ${shape.connections}`;
}
