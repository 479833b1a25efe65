/**
 * Which policy serves a model, and the one instance of each policy that is in use.
 * A model's policy is the one that the configuration names for it, else the one that a label `policy` of its workers
 * names, else that of the gateway. Instances are made when first needed, all with the parameters of the command line.
 * Cost  O(1) for a pool seen before, O(members) once for each pool of a snapshot
 */
import type { Candidate, PoolMember } from '../domain/candidate.ts';
import { findPolicy } from './policies/index.ts';
import type { Policy, PolicyDefinition, PolicyDeps } from './policy.ts';
import { StickyKeys, stickyOptions } from './sticky-keys.ts';
import { StickyPolicy } from './sticky.ts';

export interface NamedPolicy {
  readonly name: string;
  readonly policy: Policy;
}

export interface PolicyScope {
  /** Policy of the gateway; has to exist. */
  readonly policy: string;
  /** Model id to policy; every one of them has to exist. */
  readonly models: ReadonlyMap<string, string>;
  /** Values of the policies' options by camelCase name; a missing one has its default. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Routing keys come before the policy. */
  readonly routingKeyOverride: boolean;
}

export interface PolicySetDeps extends PolicyDeps {
  /** A worker's label names a policy that there is not; told once for each name. */
  unknownPolicy(name: string, workerId: string): void;
}

/** Labels come from outside: so many wrong names are told, and so much of each. */
const MAX_TOLD = 100;
const MAX_NAME = 64;

const LABEL = 'policy';

export class PolicySet {
  readonly #scope: PolicyScope;
  readonly #deps: PolicySetDeps;
  readonly #keys: StickyKeys | undefined;
  readonly #byName = new Map<string, NamedPolicy>();
  readonly #byPool = new WeakMap<readonly PoolMember[], NamedPolicy>();
  readonly #told = new Set<string>();

  constructor(scope: PolicyScope, deps: PolicySetDeps) {
    this.#scope = scope;
    this.#deps = deps;
    if (scope.routingKeyOverride) this.#keys = new StickyKeys(stickyValues(scope.options), deps);
    for (const name of [scope.policy, ...scope.models.values()]) this.#instance(known(name));
  }

  /** The policy for the calls of a model; `members` is its pool, the same array for as long as nothing changes. */
  policyFor(model: string, members: readonly PoolMember[]): NamedPolicy {
    const { models } = this.#scope;
    const configured = models.size > 0 ? models.get(model) : undefined;
    if (configured !== undefined) return this.#instance(known(configured));
    let named = this.#byPool.get(members);
    if (!named) {
      named = this.#instance(this.#labelled(members) ?? known(this.#scope.policy));
      this.#byPool.set(members, named);
    }
    return named;
  }

  /** The worker is gone for good: every policy drops what it remembers of it. */
  forget(candidate: Candidate): void {
    for (const { policy } of this.#byName.values()) policy.forget?.(candidate);
  }

  /** The worker's cache is empty, see Policy. */
  forgetCache(candidate: Candidate): void {
    for (const { policy } of this.#byName.values()) policy.forgetCache?.(candidate);
  }

  #instance(definition: PolicyDefinition): NamedPolicy {
    const { name, readsRoutingKey } = definition;
    let named = this.#byName.get(name);
    if (!named) {
      const policy = definition.create(this.#scope.options, this.#deps);
      named = { name, policy: this.#keys && !readsRoutingKey ? new StickyPolicy(policy, this.#keys) : policy };
      this.#byName.set(name, named);
    }
    return named;
  }

  /** What the first worker with a valid label says; a wrong one counts as none. */
  #labelled(members: readonly PoolMember[]): PolicyDefinition | undefined {
    for (const { worker } of members) {
      const name = worker.spec.labels[LABEL];
      if (name === undefined) continue;
      const definition = findPolicy(name);
      if (definition) return definition;
      this.#tell(name.slice(0, MAX_NAME), worker.id);
    }
    return undefined;
  }

  #tell(name: string, workerId: string): void {
    if (this.#told.has(name) || this.#told.size >= MAX_TOLD) return;
    this.#told.add(name);
    this.#deps.unknownPolicy(name, workerId);
  }
}

function known(name: string): PolicyDefinition {
  const definition = findPolicy(name);
  if (!definition) throw new Error(`There is no policy ${name}.`);
  return definition;
}

function stickyValues(values: Readonly<Record<string, unknown>>): { maxIdleSecs: number; maxRoutingKeys: number } {
  const { maxIdleSecs, maxRoutingKeys } = stickyOptions;
  return {
    maxIdleSecs: Number(values['maxIdleSecs'] ?? maxIdleSecs.default),
    maxRoutingKeys: Number(values['maxRoutingKeys'] ?? maxRoutingKeys.default),
  };
}
