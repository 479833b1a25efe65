/**
 * A cloud that is like OpenAI but for its paths, its key header and what it refuses; Azure's deployment URLs among them.
 * Source for Azure: "Azure OpenAI REST API reference"; its 401 and 404 bodies as users report them.
 */

import type { SeenKey } from '../credentials.ts';
import type { Dialect, HeaderCheck } from '../dialect.ts';
import { checkBearer, openaiHeaders } from '../openai/dialect.ts';
import { type OpenaiOffer, openaiEndpoints } from '../openai/endpoints.ts';
import { incorrectKey, MISSING_KEY, openaiErrorBody, TWO_KEYS } from '../openai/errors.ts';
import { type ChatProfile, isOpenaiReasoner, OPENAI_PROFILE } from '../openai/profile.ts';
import type { CompatibleOptions } from '../options.ts';
import type { RefusalWords } from '../refusal.ts';

/** The dialect that the options describe. */
export function compatibleDialect(options: CompatibleOptions): Dialect {
  const offer: OpenaiOffer = {
    basePath: options.isAzure ? '/openai/deployments/(?<model>[^/]+)' : options.basePath,
    profile: profileOf(options),
    owner: 'vendor',
    hasResponses: options.hasResponses,
    hasEmbeddings: options.hasEmbeddings,
    hasModels: options.hasModels && !options.isAzure,
  };
  const lists = options.isAzure && options.hasModels ? azureLists(offer) : [];
  return {
    serverName: options.isAzure ? 'Microsoft-IIS/10.0' : 'nginx',
    endpoints: [...openaiEndpoints(offer), ...lists],
    checkHeaders: (keys, check) => checkHeaders(keys, check, options),
    wordRefusal: options.isAzure ? azureErrorBody : compatibleErrorBody,
    answerHeaders: openaiHeaders,
    notFound: (method, path) =>
      options.isAzure
        ? { status: 404, code: '404', message: 'Resource not found' }
        : { status: 404, message: `Unknown request URL: ${method} ${path}`, code: 'unknown_url' },
  };
}

function profileOf(options: CompatibleOptions): ChatProfile {
  return {
    ...OPENAI_PROFILE,
    fields: new Set([...OPENAI_PROFILE.fields, ...options.extraFields]),
    refusedFields: new Set(options.refusedFields),
    messageFields: options.messageFields,
    refusalStatus: options.refusalStatus,
    isReasoner: options.isAzure ? isOpenaiReasoner : (model) => /deepseek-r1|reason|think/.test(model),
    reasonerRefuses: options.isAzure ? OPENAI_PROFILE.reasonerRefuses : [],
    reasoningField: options.reasoningField,
    refusesEffort: options.isAzure,
    hasPromptFilter: options.isAzure,
  };
}

/** Azure lists what may be deployed below `/openai/models`. */
function azureLists(offer: OpenaiOffer): Dialect['endpoints'] {
  const lists = openaiEndpoints({ ...offer, basePath: '/openai', hasModels: true });
  return lists.filter(({ name }) => name.startsWith('/models'));
}

function checkHeaders(
  keys: readonly SeenKey[],
  check: HeaderCheck,
  options: CompatibleOptions,
): RefusalWords | undefined {
  const problem =
    options.keyHeader === 'authorization'
      ? checkBearer(keys, check, incorrectKey)
      : checkBareKey(keys, check, options.keyHeader);
  if (problem !== undefined) return options.isAzure ? AZURE_DENIED : problem;
  if (!options.isAzure || /^\d{4}-\d{2}-\d{2}(-preview)?$/.test(check.query.get('api-version') ?? '')) return undefined;
  return { status: 404, code: '404', message: 'Resource not found' };
}

function checkBareKey(keys: readonly SeenKey[], check: HeaderCheck, header: string): RefusalWords | undefined {
  const [key] = keys;
  if (keys.length > 1) return TWO_KEYS;
  if (key?.header !== header || key.value === '') return MISSING_KEY;
  return check.keys.length === 0 || check.keys.includes(key.value) ? undefined : incorrectKey(key.value);
}

const AZURE_DENIED: RefusalWords = {
  status: 401,
  code: '401',
  message:
    'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.',
};

/** Mistral answers 422 with the list of fields it did not expect. Source: error bodies as users report them. */
function compatibleErrorBody(words: RefusalWords): unknown {
  if (words.status !== 422) return openaiErrorBody(words);
  const loc = ['body', ...(words.param ?? '').split('.')];
  const detail = [{ type: 'extra_forbidden', loc, msg: 'Extra inputs are not permitted' }];
  return { object: 'error', message: { detail }, type: 'invalid_request_error', param: null, code: null };
}

/** Azure's gateway answers with code and message only; a model that is not there is a deployment that is not there. */
function azureErrorBody(words: RefusalWords): unknown {
  if (words.code === 'model_not_found') {
    const message = 'The API deployment for this resource does not exist.';
    return { error: { code: 'DeploymentNotFound', message } };
  }
  const isGateways = words.status === 401 || words.code === '404' || words.status === 429;
  return isGateways
    ? { error: { code: words.code ?? String(words.status), message: words.message } }
    : openaiErrorBody(words);
}
