/**
 * Where a call turns when a model of its chain has failed it: the next one that can take it now. The first attempt on a
 * further model is free where the worker has not failed this call yet; a worker that has is asked again at the cost of
 * a retry, so that a chain multiplies the load on nobody.
 */
import type { Call } from '../domain/call.ts';
import type { PoolMember } from '../domain/candidate.ts';
import type { PassedModel, PassReason } from '../domain/record.ts';
import { isTooLong } from './context-fit.ts';
import type { Course } from './course.ts';
import type { SpineDeps } from './deps.ts';
import type { Failed } from './failure.ts';
import { passReasonOf } from './failure.ts';
import { CallHints } from './hints.ts';
import { hasCandidates, lackKeys, poolOf, refusePlacement, whyNobody } from './place.ts';
import type { ResolvedModel } from './resolve-model.ts';
import { resolveModel } from './resolve-model.ts';
import { notTranslatable } from './translation/translator.ts';

/** Who can serve the call with this model, as of now. Throws as `resolveModel` does, and `not_translatable`. */
export function resolveFor(call: Call, model: string, { directory, aliases, reach }: SpineDeps): ResolvedModel {
  const resolved = resolveModel(model, call.modelOptional, directory.snapshot(), aliases);
  const able = reach.within(resolved.members, call.protocol);
  if (able === resolved.members) return resolved;
  if (able.length === 0) throw notTranslatable(call.protocol, resolved.members);
  return { ...resolved, members: able };
}

/** Moves the course on, or says that there is nowhere to go: then only its `left` is new. */
export function moveOn(course: Course, failed: Failed, deps: SpineDeps): boolean {
  const passed: PassedModel[] = [{ model: course.model, why: passReasonOf(failed) }];
  for (let at = course.at + 1; at < course.models.length; at += 1) {
    const model = course.models[at] ?? '';
    const found = openWorkers(course, model, deps);
    if (typeof found === 'object') {
      course.moveTo({ at, tried: found.tried, passed });
      return true;
    }
    passed.push({ model, why: found });
  }
  course.left = passed;
  return false;
}

/** Nobody of this pool can take the call now: the course keeps what the client is told, if it stays at that. */
export function refusedBy(course: Course, pool: readonly PoolMember[], deps: SpineDeps): PassReason {
  return course.refused(refusePlacement(pool, course.key, deps), whyNobody(pool, course.key, deps));
}

/**
 * Nobody has a key for this model of a chain, and another one may do. The last one's own word for that is what the
 * client gets, unless a model before it may be asked again later.
 */
export function isKeyless(
  { call, key, tried, hasNext }: Course,
  pool: readonly PoolMember[],
  deps: SpineDeps,
): boolean {
  if (!hasNext && !call.record.chain.some(({ why }) => COMES_BACK.has(why))) return false;
  return lackKeys(pool, { tried, key, nowMs: deps.clock.now() });
}

const COMES_BACK: ReadonlySet<PassReason> = new Set(['no_worker', 'rate_limited', 'quota'] satisfies PassReason[]);

/** Whom to leave out of the workers of this model, or why none of them can take the call now. */
function openWorkers(course: Course, model: string, deps: SpineDeps): { readonly tried: string[] } | PassReason {
  const { call, key } = course;
  const nowMs = deps.clock.now();
  try {
    const pool = poolOf(call, resolveFor(call, model, deps));
    if (isTooLong(call, pool, new CallHints(call, model, deps.protocols[call.protocol]))) return 'context';
    const failed = course.failedWorkers();
    if (lackKeys(pool, { tried: [], key, nowMs })) return 'no_key';
    if (hasCandidates(pool, { tried: failed, key, nowMs })) return { tried: failed };
    if (!hasCandidates(pool, { tried: [], key, nowMs })) return refusedBy(course, pool, deps);
    return deps.budget.withdraw(nowMs) ? { tried: [] } : 'no_worker';
  } catch (thrown) {
    return course.refused(thrown);
  }
}
