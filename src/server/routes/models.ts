/**
 * The models that can be asked for. One form satisfies the clients of OpenAI and of Anthropic, whose lists are at the same
 * path; Gemini's clients have a form of their own, at a path of their own or at that same one.
 * Sources  OpenAI and Anthropic API references (List models), Gemini API reference (models.list)
 */
import { GatewayError } from '../../domain/errors.ts';
import type { ControlRequest } from '../control-request.ts';
import type { ServerDeps } from '../deps.ts';
import type { JsonAnswer } from '../json-answer.ts';
import { json } from '../json-answer.ts';
import { inventory } from './model-inventory.ts';
import type { Model } from './model-inventory.ts';

type Shown = Readonly<Record<string, unknown>>;

export async function listModels(deps: ServerDeps, { headers, query }: ControlRequest): Promise<JsonAnswer> {
  const models = await inventory(deps, headers, isWide(query));
  if (isOfGoogle(headers)) return json(200, { models: models.map(geminiCard) });
  const data = models.map(card);
  const page = { has_more: false, first_id: models[0]?.id ?? null, last_id: models.at(-1)?.id ?? null };
  return json(200, { object: 'list', data, ...page });
}

export async function getModel(deps: ServerDeps, request: ControlRequest): Promise<JsonAnswer> {
  const model = await find(deps, request);
  return json(200, isOfGoogle(request.headers) ? geminiCard(model) : card(model));
}

/** Google's clients send one of these, and nobody else's do. */
function isOfGoogle(headers: ControlRequest['headers']): boolean {
  return headers['x-goog-api-key'] !== undefined || headers['x-goog-api-client'] !== undefined;
}

export async function listGeminiModels(deps: ServerDeps, { headers, query }: ControlRequest): Promise<JsonAnswer> {
  const models = await inventory(deps, headers, isWide(query));
  return json(200, { models: models.map(geminiCard) });
}

export async function getGeminiModel(deps: ServerDeps, request: ControlRequest): Promise<JsonAnswer> {
  return json(200, geminiCard(await find(deps, { ...request, id: request.id.replace(/^models\//, '') })));
}

/** Throws `model_not_found`. */
async function find(deps: ServerDeps, { id, headers, query }: ControlRequest): Promise<Model> {
  const found = (await inventory(deps, headers, isWide(query))).find((model) => model.id === id);
  if (found) return found;
  throw new GatewayError('model_not_found', `The model \`${id.slice(0, 128)}\` does not exist here.`, {
    param: 'model',
  });
}

/** Throws `invalid_request`. */
function isWide(query: URLSearchParams): boolean {
  const scope = query.get('scope');
  if (scope === null || scope === 'all') return scope === 'all';
  throw new GatewayError('invalid_request', '`scope` must be all, or be left out.', { param: 'scope' });
}

/** What a provider told of the model stays; what it did not tell is put in. */
function card({ id, owner, displayName, entry }: Model): Shown {
  const created = secondsOf(entry);
  const madeAt =
    typeof entry['created_at'] === 'string' ? entry['created_at'] : new Date(created * 1_000).toISOString();
  const own = { id, object: 'model', created, owned_by: owner, type: 'model', display_name: displayName ?? id };
  return { ...own, ...entry, created, created_at: madeAt };
}

const MAX_SECONDS = 8_640_000_000_000;

/** When the model was made, as either API tells it; 0 when nobody says. */
function secondsOf({ created, created_at: createdAt }: Model['entry']): number {
  const told = typeof createdAt === 'string' ? Math.floor(Date.parse(createdAt) / 1_000) : created;
  return typeof told === 'number' && told >= 0 && told <= MAX_SECONDS ? told : 0;
}

const GENERATES = ['generateContent', 'streamGenerateContent', 'countTokens'];
const EMBEDS = ['batchEmbedContents'];

function geminiCard({ id, displayName, limits, entry }: Model): Shown {
  const supportedGenerationMethods = /embed/i.test(id) ? EMBEDS : GENERATES;
  const { contextLength, maxOutputTokens } = limits;
  return {
    name: `models/${id}`,
    displayName: displayName ?? id,
    ...(contextLength === undefined ? {} : { inputTokenLimit: contextLength }),
    ...(maxOutputTokens === undefined ? {} : { outputTokenLimit: maxOutputTokens }),
    supportedGenerationMethods,
    ...(Array.isArray(entry['supportedGenerationMethods']) ? entry : {}),
  };
}
