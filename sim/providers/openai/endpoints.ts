/** The endpoints of every cloud that speaks OpenAI's API, at a base path and with a profile of its own. */

import type { Endpoint, ProviderCall } from '../dialect.ts';
import { type Plan, planAnswer } from '../plan.ts';
import { sendWorded } from '../play.ts';
import { checkChat } from './chat-check.ts';
import { wordChat } from './chat-encode.ts';
import { readChat } from './chat-read.ts';
import { answerEmbeddings, answerModel, answerModels } from './lists.ts';
import type { ChatProfile } from './profile.ts';
import { answerResponses } from './responses.ts';

/** What a cloud offers, and where. */
export interface OpenaiOffer {
  /** `/v1`, without a final slash; may hold a named group `(?<model>[^/]+)`. */
  readonly basePath: string;
  readonly profile: ChatProfile;
  /** `owned_by` of its models. */
  readonly owner: string;
  readonly hasResponses: boolean;
  readonly hasEmbeddings: boolean;
  readonly hasModels: boolean;
}

/** The endpoints of an offer. */
export function openaiEndpoints(offer: OpenaiOffer): readonly Endpoint[] {
  const { profile, owner } = offer;
  const at = (path: string) => new RegExp(`^${offer.basePath}${path}$`);
  const chat: Endpoint = {
    name: '/chat/completions',
    method: 'POST',
    pattern: at('/chat/completions'),
    answer: (call) => answerChat(call, profile),
  };
  const endpoints = [chat];
  if (offer.hasResponses) {
    const answer = (call: ProviderCall) => answerResponses(call, profile);
    endpoints.push({ name: '/responses', method: 'POST', pattern: at('/responses'), answer });
  }
  if (offer.hasEmbeddings) {
    endpoints.push({ name: '/embeddings', method: 'POST', pattern: at('/embeddings'), answer: answerEmbeddings });
  }
  if (!offer.hasModels) return endpoints;
  const list: Endpoint = {
    name: '/models',
    method: 'GET',
    pattern: at('/models'),
    answer: (call) => answerModels(call, owner),
  };
  const one: Endpoint = {
    name: '/models/{id}',
    method: 'GET',
    pattern: at('/models/(?<model>.+)'),
    answer: (call) => answerModel(call, owner),
  };
  return [...endpoints, list, one];
}

/** `POST /chat/completions`; Azure names the model in the path. */
function answerChat(call: ProviderCall, profile: ChatProfile): void {
  const { model: deployment } = call.params;
  const body = deployment === undefined ? call.body : { ...call.body, model: deployment };
  checkChat(body, profile, call.options.models);
  const asked = readChat(body);
  const plan: Plan = planAnswer(asked, profile.isReasoner(asked.model));
  sendWorded(call, body['stream'] === true, wordChat({ ...call, body }, plan, profile));
}
