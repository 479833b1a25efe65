/**
 * Conversations made up at random, in nobody's API: what is said, called, answered and asked for. The writers of the
 * four client APIs make bodies of them; what an API cannot say its writer leaves out.
 */
import fc from 'fast-check';
import type { ThoughtOrigin } from '../../../src/domain/generation.ts';

/** How a text looks; each holds a word that stands nowhere else, except those without a word. */
export type TextShape = 'word' | 'unicode' | 'lines' | 'json' | 'trailing' | 'blank' | 'empty';

export type Piece =
  | { readonly type: 'text'; readonly shape: TextShape; readonly isMarked: boolean }
  | { readonly type: 'image'; readonly by: 'url' | 'http' | 'bytes'; readonly detail: 'low' | 'high' | undefined }
  | { readonly type: 'document'; readonly by: 'url' | 'bytes' | 'text'; readonly isNamed: boolean };

export interface PlannedCall {
  /** Index of the tool. */
  readonly tool: number;
  readonly input: 'none' | 'flat' | 'deep' | 'escapes';
  readonly id: 'plain' | 'foreign' | 'long' | 'odd';
  readonly result: 'text' | 'empty' | 'blank' | 'list' | 'image' | 'json' | 'error' | 'missing';
}

export interface PlannedThought {
  readonly kind: 'open' | 'signed' | 'redacted';
  readonly origin: ThoughtOrigin;
}

export interface Round {
  readonly system: readonly TextShape[];
  readonly user: readonly Piece[];
  readonly isPlain: boolean;
  /** A second message of the user right behind the first. */
  readonly again: boolean;
  readonly thought: PlannedThought | undefined;
  readonly says: TextShape | undefined;
  readonly refuses: boolean;
  readonly calls: readonly PlannedCall[];
  readonly isReversed: boolean;
  /** What the user says together with the results. */
  readonly adds: readonly Piece[];
  readonly concludes: TextShape | undefined;
}

export interface PlannedTool {
  readonly schema: 'none' | 'empty' | 'plain' | 'limits' | 'nested';
  readonly isStrict: boolean | undefined;
  readonly isMarked: boolean;
}

export interface Wishes {
  readonly isStream: boolean;
  readonly choice: 'auto' | 'none' | 'required' | 'named' | undefined;
  readonly isSerial: boolean | undefined;
  readonly format: 'object' | 'schema' | 'strict' | undefined;
  readonly thinking: 'off' | 'low' | 'high' | 'budget' | 'adaptive' | undefined;
  readonly limit: boolean;
  readonly temperature: boolean;
  readonly topP: boolean;
  readonly topK: boolean;
  readonly stops: number;
  readonly seed: boolean;
  readonly penalties: boolean;
  readonly choices: boolean;
  readonly logprobs: boolean;
  readonly bias: boolean;
  readonly user: boolean;
  readonly metadata: boolean;
  readonly tier: 'auto' | 'default' | 'flex' | 'priority' | undefined;
  readonly verbosity: boolean;
  readonly cacheKey: boolean;
  readonly store: boolean | undefined;
  readonly future: boolean;
}

export interface ConversationPlan {
  readonly opening: readonly TextShape[];
  readonly isOpeningPlain: boolean;
  readonly rounds: readonly Round[];
  readonly end: 'user' | 'results' | 'prefill';
  readonly tools: readonly PlannedTool[];
  readonly wishes: Wishes;
  /** In its fields, the API's second spelling where it has one. */
  readonly isOldSpelling: boolean;
}

const rarely = fc.integer({ min: 0, max: 7 }).map((roll) => roll === 0);
const seldom = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 4 });
const shape = fc.constantFrom<TextShape>('word', 'word', 'word', 'unicode', 'lines', 'json', 'trailing');
const anyShape = fc.constantFrom<TextShape>('word', 'word', 'unicode', 'lines', 'json', 'trailing', 'blank', 'empty');

const text = fc.record({ type: fc.constant('text' as const), shape: anyShape, isMarked: rarely });
const image = fc.record({
  type: fc.constant('image' as const),
  by: fc.constantFrom('url' as const, 'http' as const, 'bytes' as const),
  detail: fc.constantFrom(undefined, 'low' as const, 'high' as const),
});
const document = fc.record({
  type: fc.constant('document' as const),
  by: fc.constantFrom('url' as const, 'bytes' as const, 'text' as const),
  isNamed: fc.boolean(),
});
const piece: fc.Arbitrary<Piece> = fc.oneof(
  { weight: 5, arbitrary: text },
  { weight: 1, arbitrary: image },
  { weight: 1, arbitrary: document },
);

const call: fc.Arbitrary<PlannedCall> = fc.record({
  tool: fc.nat({ max: 2 }),
  input: fc.constantFrom('none', 'flat', 'deep', 'escapes'),
  id: fc.constantFrom('plain', 'plain', 'foreign', 'long', 'odd'),
  result: fc.constantFrom('text', 'text', 'text', 'empty', 'blank', 'list', 'image', 'json', 'error', 'missing'),
});

const thought: fc.Arbitrary<PlannedThought> = fc.record({
  kind: fc.constantFrom('open', 'signed', 'signed', 'redacted'),
  origin: fc.constantFrom('anthropic', 'gemini', 'openai', 'xai'),
});

const round: fc.Arbitrary<Round> = fc.record({
  system: fc.oneof(
    { weight: 6, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(shape, { maxLength: 2 }) },
  ),
  user: fc.array(piece, { minLength: 1, maxLength: 3 }),
  isPlain: fc.boolean(),
  again: rarely,
  thought: seldom(thought),
  says: seldom(anyShape),
  refuses: rarely,
  calls: fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.array(call, { minLength: 1, maxLength: 3 }) },
  ),
  isReversed: rarely,
  adds: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(piece, { maxLength: 2 }) },
  ),
  concludes: seldom(shape),
});

const tool: fc.Arbitrary<PlannedTool> = fc.record({
  schema: fc.constantFrom('none', 'empty', 'plain', 'limits', 'nested'),
  isStrict: fc.constantFrom(undefined, undefined, false, true),
  isMarked: rarely,
});

const wishes: fc.Arbitrary<Wishes> = fc.record({
  isStream: fc.boolean(),
  choice: fc.constantFrom(undefined, undefined, undefined, 'auto', 'none', 'required', 'named'),
  isSerial: fc.constantFrom(undefined, undefined, true, false),
  format: fc.constantFrom(undefined, undefined, undefined, 'object', 'schema', 'strict'),
  thinking: fc.constantFrom(undefined, undefined, 'off', 'low', 'high', 'budget', 'adaptive'),
  limit: fc.boolean(),
  temperature: rarely,
  topP: rarely,
  topK: rarely,
  stops: fc.constantFrom(0, 0, 0, 0, 1, 2, 6),
  seed: rarely,
  penalties: rarely,
  choices: rarely,
  logprobs: rarely,
  bias: rarely,
  user: rarely,
  metadata: rarely,
  tier: fc.constantFrom(undefined, undefined, undefined, undefined, 'auto', 'default', 'flex', 'priority'),
  verbosity: rarely,
  cacheKey: rarely,
  store: fc.constantFrom(undefined, undefined, undefined, true, false),
  future: rarely,
});

/** One to four rounds, which are up to some sixteen messages. */
export const conversationPlan: fc.Arbitrary<ConversationPlan> = fc.record({
  opening: fc.array(shape, { maxLength: 2 }),
  isOpeningPlain: fc.boolean(),
  rounds: fc.array(round, { minLength: 1, maxLength: 4 }),
  end: fc.constantFrom('user', 'user', 'results', 'prefill'),
  tools: fc.array(tool, { minLength: 3, maxLength: 3 }),
  wishes,
  isOldSpelling: fc.boolean(),
});
