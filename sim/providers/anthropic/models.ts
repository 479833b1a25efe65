/**
 * What Anthropic's models can and cannot, by name, and the paged list of them.
 * Source: Anthropic models overview, guides "Adaptive thinking" and "Prefill", API reference "List models".
 */

import { sendJson } from '../../http/answers.ts';
import type { JsonRecord } from '../../json.ts';
import type { ProviderCall } from '../dialect.ts';
import { Refusal } from '../refusal.ts';
import { invalid } from './errors.ts';

/** Models that refuse sampling parameters and thinking budgets: Opus 4.7 and later, and generation 5. */
export function isAdaptiveOnly(model: string): boolean {
  return /-opus-4-[7-9]|-(opus|sonnet|haiku|fable|mythos)-[5-9]/.test(model);
}

/** Models that go on from a partial assistant message: those before 4.6. */
export function mayPrefill(model: string): boolean {
  return !isAdaptiveOnly(model) && !/-4-[6-9]/.test(model);
}

/** Models that take system messages behind user turns: Opus 4.8, generation 5 but Sonnet 5. */
export function takesSystemMessages(model: string): boolean {
  return /-opus-4-[89]|-(opus|haiku|fable|mythos)-[5-9]|-sonnet-(5-\d|[6-9])/.test(model);
}

const MOST_PER_PAGE = 1000;

/** `GET /v1/models`: pages by `limit`, `after_id` and `before_id`. */
export function answerModels(call: ProviderCall): void {
  const { query } = call.exchange;
  const { models, pageSize } = call.options;
  const limit = query.get('limit') === null ? pageSize : Number(query.get('limit'));
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_PER_PAGE) {
    throw invalid('limit', 'Input should be greater than or equal to 1 and less than or equal to 1000');
  }
  const after = query.get('after_id');
  const before = query.get('before_id');
  const start = after === null ? 0 : models.indexOf(after) + 1;
  const end = before === null ? models.length : Math.max(0, models.indexOf(before));
  if ((after !== null && start === 0) || (before !== null && !models.includes(before))) {
    throw invalid(after === null ? 'before_id' : 'after_id', 'no such model');
  }
  const rest = models.slice(start, end);
  const page = before === null ? rest.slice(0, limit) : rest.slice(-limit);
  const ends = { first_id: page[0] ?? null, last_id: page.at(-1) ?? null };
  sendJson(call.exchange, { data: page.map(wordModel), has_more: rest.length > page.length, ...ends });
}

/** `GET /v1/models/{model}`. */
export function answerModel(call: ProviderCall): void {
  const model = call.params['model'] ?? '';
  if (!call.options.models.includes(model)) throw new Refusal({ status: 404, message: `model: ${model}` });
  sendJson(call.exchange, wordModel(model));
}

function wordModel(id: string): JsonRecord {
  return {
    type: 'model',
    id,
    display_name: id.replaceAll('-', ' '),
    created_at: '2025-10-01T00:00:00Z',
    max_input_tokens: 200_000,
    max_tokens: 64_000,
  };
}
