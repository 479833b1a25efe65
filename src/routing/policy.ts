/** The Policy contract: who serves, among workers that may all serve. No I/O, no timers, no globals. */
import type { Random } from '../base/random.ts';
import type { Candidate } from '../domain/candidate.ts';
import type { CallWatch } from '../domain/ports.ts';
import type { PromptBlocks } from '../domain/prompt.ts';

/** Routing inputs of one call; what costs something is made when first asked for, and kept. */
export interface Hints {
  readonly model: string;
  /** False: the answer comes whole, so that its first content tells nothing of when the prompt was computed. */
  readonly isStream?: boolean;
  /** A request header by its lower-case name, or undefined. */
  header(name: string): string | undefined;
  /** The prompt cut into hashed blocks. Cost O(prompt) the first time. */
  blocks(): PromptBlocks;
  /** Hash of the first `tokens` tokens of the prompt, or of all of it when it is shorter. Cost O(tokens). */
  prefixHash(tokens: number): number;
}

export interface Policy {
  /**
   * Chooses one of `candidates` (all may serve; at least one; stable order). Changes nothing that `begin` should.
   * Returning undefined, or one that is not in the list, is a fault of the policy.
   */
  select(candidates: readonly Candidate[], hints: Hints): Candidate | undefined;
  /**
   * The call goes to this worker now, whoever chose it: called in the same turn as `select`, or without it when the
   * client or a sticky key had chosen. The watch hears how the call goes on.
   */
  begin?(candidate: Candidate, hints: Hints): CallWatch | undefined;
  /** Why `candidate` was the choice for these hints, in a few words; called right after `select`, when a client asks. */
  explain?(candidate: Candidate, hints: Hints): string;
  /** The worker is gone for good: drop what is remembered of it; its slot may be given to another. */
  forget?(candidate: Candidate): void;
  /** The worker runs, but its cache is empty: it was started anew or flushed. */
  forgetCache?(candidate: Candidate): void;
  /** Bytes held; only for policies that hold more than a little. */
  readonly bytesHeld?: number;
}

export interface PolicyDeps {
  readonly random: Random;
  /** Monotonic milliseconds, see Clock. */
  now(): number;
}

interface OptionFacts<Value> {
  readonly default: Value;
  /** One sentence for help and docs. */
  readonly doc: string;
}

/** One option of a policy as plain data; flag, variable, file key, help and docs derive from it. */
export type PolicyOption =
  | ({ readonly kind: 'decimal' | 'whole'; readonly min: number; readonly max?: number } & OptionFacts<number>)
  | ({ readonly kind: 'seconds' | 'bytes'; readonly min: number } & OptionFacts<number>)
  | ({ readonly kind: 'choice'; readonly choices: readonly string[] } & OptionFacts<string>)
  | ({ readonly kind: 'toggle' } & OptionFacts<boolean>);

export type PolicyOptions = Readonly<Record<string, PolicyOption>>;

/** The values of a policy's options. */
export type OptionValues<Options extends PolicyOptions> = {
  readonly [Key in keyof Options]: Options[Key] extends { readonly kind: 'choice'; readonly choices: infer Choices }
    ? Choices extends readonly (infer Choice)[]
      ? Choice
      : never
    : Options[Key] extends { readonly kind: 'toggle' }
      ? boolean
      : number;
};

/** A policy as the list has it: options not yet given. */
export interface PolicyDefinition {
  /** As users write it, `snake_case`. */
  readonly name: string;
  /** One sentence for help and docs. */
  readonly summary: string;
  /** By camelCase name, the same in all policies that share one. */
  readonly options: PolicyOptions;
  /** It goes by the client's routing key itself, so that `--routing-key-override` leaves it alone. */
  readonly readsRoutingKey: boolean;
  /** `values` may hold more than this policy's options; a missing one has its default. */
  create(values: Readonly<Record<string, unknown>>, deps: PolicyDeps): Policy;
}

/** What a policy file exports as default. `create` gets the values of its own options, complete. */
export function definePolicy<const Options extends PolicyOptions>(definition: {
  readonly name: string;
  readonly summary: string;
  readonly options: Options;
  readonly readsRoutingKey?: boolean;
  create(options: OptionValues<Options>, deps: PolicyDeps): Policy;
}): PolicyDefinition {
  const { name, summary, options, readsRoutingKey = false } = definition;
  return {
    name,
    summary,
    options,
    readsRoutingKey,
    create: (values, deps) => {
      const own = Object.entries(options).map(([key, option]) => [key, values[key] ?? option.default]);
      return definition.create(Object.fromEntries(own) as OptionValues<Options>, deps);
    },
  };
}
