/** `POST /responses`: goes on from an earlier response when asked to, checks, plans, words, remembers. */

import { shown, stringOf } from '../../json.ts';
import type { ProviderCall } from '../dialect.ts';
import { type Plan, planAnswer } from '../plan.ts';
import { sendWorded } from '../play.ts';
import { Refusal } from '../refusal.ts';
import type { Item } from '../transcript.ts';
import type { ChatProfile } from './profile.ts';
import { checkResponses } from './responses-check.ts';
import { wordResponse } from './responses-encode.ts';
import { readResponses } from './responses-read.ts';

/** Answers a responses request. */
export function answerResponses(call: ProviderCall, profile: ChatProfile): void {
  const { body, options, sealer } = call;
  const earlier = findEarlier(call);
  const earlierCallIds = openCalls(earlier);
  checkResponses(body, { profile, models: options.models, sealer, earlierCallIds });
  const own = readResponses(body);
  const asked = { ...own, items: nameResults([...earlier, ...own.items]) };
  const plan = planAnswer(asked, profile.isReasoner(asked.model));
  const id = call.newId('resp_', 32);
  const worded = wordResponse(call, plan, id);
  if (body['store'] !== false) call.conversations.keep(id, [...asked.items, ...said(plan, worded.callIds)]);
  sendWorded(call, body['stream'] === true, worded);
}

function findEarlier(call: ProviderCall): readonly Item[] {
  const id = call.body['previous_response_id'];
  if (id === undefined || id === null) return [];
  const found = call.conversations.find(stringOf(id) ?? '');
  if (found !== undefined) return found;
  const message = `Previous response with id '${shown(id)}' not found.`;
  throw new Refusal({ status: 400, message, param: 'previous_response_id', code: 'previous_response_not_found' });
}

function openCalls(items: readonly Item[]): readonly string[] {
  const answered = new Set(items.flatMap((item) => (item.kind === 'result' ? [item.id] : [])));
  return items.flatMap((item) => (item.kind === 'call' && !answered.has(item.id) ? [item.id] : []));
}

/** Results of calls that stand in the earlier response get their name from there. */
function nameResults(items: readonly Item[]): readonly Item[] {
  const names = new Map(items.flatMap((item) => (item.kind === 'call' ? [[item.id, item.name] as const] : [])));
  return items.map((item) => (item.kind === 'result' ? { ...item, name: names.get(item.id) ?? item.name } : item));
}

function said(plan: Plan, callIds: readonly string[]): readonly Item[] {
  const text: readonly Item[] = plan.text === '' ? [] : [{ kind: 'text', role: 'assistant', text: plan.text }];
  const calls = plan.calls.map((call, at): Item => ({ kind: 'call', id: callIds[at] ?? '', ...call }));
  return [...text, ...calls];
}
