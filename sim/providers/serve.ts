/**
 * The way of every request through a simulated provider:
 *
 *   count -> read body -> record -> path -> key and headers -> JSON -> fault? -> fixed answer? -> checks -> answer
 *
 * Every refusal is remembered, because a refusal means that the caller sent something a real provider would not take.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Recorder } from '../control/recorder.ts';
import { strikeBefore } from '../faults/before.ts';
import { FaultError, faultOn, parseFault } from '../faults/fault.ts';
import type { FaultPlan } from '../faults/plan.ts';
import { sendJson } from '../http/answers.ts';
import { Exchange, type ExchangeHost } from '../http/exchange.ts';
import { sendFixedAnswer } from '../http/fixed-answer.ts';
import { readBody } from '../http/read-body.ts';
import { isRecord, type JsonRecord } from '../json.ts';
import { credentialsOf, type KeyMemory, type SeenKey } from './credentials.ts';
import type { ConversationMemory, Dialect, Endpoint, PrefixMemory } from './dialect.ts';
import type { ProviderOptions } from './options.ts';
import { Refusal, type RefusalWords } from './refusal.ts';
import type { Sealer } from './seal.ts';

/** A provider as the request path needs it. */
export interface ServingProvider extends ExchangeHost {
  readonly options: ProviderOptions;
  readonly dialect: Dialect;
  readonly recorder: Recorder;
  readonly faults: FaultPlan;
  readonly keyMemory: KeyMemory;
  readonly sealer: Sealer;
  readonly cache: PrefixMemory;
  readonly conversations: ConversationMemory;
  newId(prefix: string, digits?: number): string;
  refused(exchange: Exchange, words: RefusalWords): void;
}

/** Answers one request. */
export async function serveProvider(
  provider: ServingProvider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const exchange = new Exchange(request, response, provider);
  const found = findEndpoint(provider.dialect, exchange);
  provider.counters.requestStarted(found?.endpoint.name ?? 'other');
  const body = await readBody(request);
  if (body === undefined || !exchange.isOpen) return;
  exchange.body = body;
  const requestId = provider.newId('req_');
  const headers = provider.dialect.answerHeaders(requestId);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const keys = credentialsOf(request.rawHeaders, exchange.query);
  provider.recorder.record(exchange.method, request.url ?? '/', request.rawHeaders, body);
  provider.keyMemory.note(keys);
  provider.counters.authorizationSeen(keys.length);
  try {
    answer(provider, exchange, found, keys);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(provider, exchange, error.words, requestId);
  }
}

interface Found {
  readonly endpoint: Endpoint;
  readonly params: Readonly<Record<string, string>>;
}

function answer(
  provider: ServingProvider,
  exchange: Exchange,
  found: Found | undefined,
  keys: readonly SeenKey[],
): void {
  const { dialect, options } = provider;
  if (found === undefined) throw new Refusal(dialect.notFound(exchange.method, exchange.path));
  const check = { headers: exchange.request.headers, query: exchange.query, keys: options.keys };
  const problem = dialect.checkHeaders(keys, check);
  if (problem !== undefined) throw new Refusal(problem);
  if (found.endpoint.method === 'POST') exchange.json = readJson(exchange);
  chooseFault(provider, exchange, keys[0]?.value);
  if (exchange.fault !== undefined && strikeBefore(exchange, exchange.fault)) return;
  if (sendFixedAnswer(exchange)) return;
  found.endpoint.answer({
    exchange,
    options,
    params: found.params,
    body: withoutOwnFields(exchange.json),
    sealer: provider.sealer,
    cache: provider.cache,
    conversations: provider.conversations,
    newId: (prefix, digits) => provider.newId(prefix, digits),
  });
}

function findEndpoint(dialect: Dialect, exchange: Exchange): Found | undefined {
  for (const endpoint of dialect.endpoints) {
    const match = endpoint.method === exchange.method ? endpoint.pattern.exec(exchange.path) : null;
    if (match === null) continue;
    const params = Object.entries(match.groups ?? {}).map(([name, part]) => [name, decodeURIComponent(part)]);
    return { endpoint, params: Object.fromEntries(params) };
  }
  return undefined;
}

function readJson(exchange: Exchange): JsonRecord {
  const type = (exchange.request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new Refusal({ status: 400, message: `Unsupported content type: '${type}'. Use 'application/json'.` });
  }
  try {
    const value: unknown = JSON.parse(exchange.body.toString());
    if (isRecord(value)) return value;
  } catch {
    // Worded below, together with JSON that is no object.
  }
  throw new Refusal({
    status: 400,
    message: 'We could not parse the JSON body of your request: an object is expected.',
  });
}

function chooseFault(provider: ServingProvider, exchange: Exchange, key: string | undefined): void {
  const own = exchange.json['sim_fault'];
  try {
    exchange.fault =
      own === undefined ? provider.faults.pick(exchange.method, exchange.path, key) : faultOn('http', parseFault(own));
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    throw new Refusal({ status: 400, message: `sim_fault: ${error.message}` });
  }
}

function withoutOwnFields(body: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !name.startsWith('sim_')));
}

function refuse(provider: ServingProvider, exchange: Exchange, words: RefusalWords, requestId: string): void {
  provider.refused(exchange, words);
  for (const [name, value] of Object.entries(words.headers ?? {})) exchange.response.setHeader(name, value);
  sendJson(exchange, provider.dialect.wordRefusal(words, requestId), words.status);
}
