/**
 * The one table of the gateway's options. Types, flags, environment variables, file keys, help, validation and the
 * reference page derive from it; an option is added here and nowhere else. Reading sources is load.ts.
 */
import { CLASS_NAMES } from '../admission/classes.ts';
import { REASONING_FORMAT_IDS } from '../pipeline/parsers/reasoning/index.ts';
import { TOOL_FORMAT_IDS } from '../pipeline/parsers/tool/index.ts';
import { DEFAULT_POLICY, policies } from '../routing/policies/index.ts';
import {
  ascending,
  BETWEEN_ALIASES,
  choice,
  concurrency,
  decimal,
  eachUrlOnce,
  headerName,
  host,
  hostMapping,
  milliseconds,
  modelAlias,
  modelPolicy,
  oneMeaningPerAlias,
  onePlacePerHost,
  onePolicyPerModel,
  origin,
  seconds,
  secret,
  text,
  urlPath,
  wholeNumber,
  workerUrl,
} from './kinds.ts';
import { controlPlaneKey, oneKeyPerId, oneKeyPerTenant, tenantKey } from './key-kinds.ts';
import { good, list, type OptionTable, optional, single, toggle, type ValuesOf } from './option.ts';
import { policyOptions } from './policy-options.ts';
import { providers } from '../domain/providers/index.ts';
import { workerEntry } from './worker-entry.ts';
import { KEY_VARIABLES } from './provider-keys.ts';
import { chatTemplate } from './chat-template.ts';
import { prioritySettings } from './priority-file.ts';

const policyNames = policies.map((policy) => policy.name);

/** What the names of engines are accepted for: one file may be that of `smg serve` and of the gateway alone. */
const engineNames = ['sim', 'sglang', 'vllm', 'trtllm', 'tokenspeed', 'mlx'] as const;

const port = wholeNumber({ min: 0, max: 65_535, placeholder: 'port', note: '0 takes any free port' });
const zeroIsOff = seconds({ min: 0, note: '0 turns it off' });

const listener = {
  host: single(host, { group: 'Listener', default: '0.0.0.0', doc: 'Address or name to listen on.' }),
  port: single(port, { group: 'Listener', default: 30_000, doc: 'Port that clients connect to.' }),
  maxPayloadSize: single(wholeNumber({ min: 1, unit: 'bytes', placeholder: 'bytes' }), {
    group: 'Listener',
    default: 536_870_912,
    doc: 'Largest request body; a larger one is answered with 413.',
  }),
  requestIdHeaders: list(headerName, {
    group: 'Listener',
    default: ['x-request-id', 'x-correlation-id', 'x-trace-id', 'request-id'],
    doc: 'Request headers that may carry the request id; the first one that is not empty is used.',
  }),
  corsAllowedOrigins: list(origin, {
    group: 'Listener',
    default: [],
    doc: 'Origins whose browser pages may call the gateway, * for all of them; none sends no CORS headers.',
  }),
  shutdownGracePeriodSecs: single(seconds({ min: 0 }), {
    group: 'Listener',
    default: 180,
    doc: 'How long running calls may take to finish after SIGTERM.',
  }),
  drainSettleSecs: single(seconds({ min: 0 }), {
    group: 'Listener',
    default: 5,
    doc: 'How long new connections are still served after SIGTERM while readiness already says 503.',
  }),
} as const satisfies OptionTable;

const workers = {
  workerUrls: list(
    workerUrl,
    {
      group: 'Workers',
      default: [],
      doc: 'Workers to send calls to; a URL without a scheme is tried with http, then https.',
    },
    eachUrlOnce,
  ),
  workers: list(
    workerEntry,
    {
      group: 'Workers',
      default: [],
      doc: 'Workers with everything that can be said of them; see the page about workers.',
      fileOnly: true,
    },
    (entries) => {
      const once = eachUrlOnce(entries.map(({ url }) => url));
      return once.ok ? good(entries) : once;
    },
  ),
  backend: optional(choice([...providers.map(({ name }) => name), ...engineNames]), {
    group: 'Workers',
    doc: 'Whose API the workers of --worker-urls have, where their host does not say it: a provider; with no URL, at its own. Engines are found out, so that the name of one changes nothing.',
  }),
  mapHost: list(
    hostMapping,
    {
      group: 'Workers',
      default: [],
      doc: 'What is for this host goes to this URL instead, a relay or a simulated provider. The worker keeps its URL and its provider.',
    },
    onePlacePerHost,
  ),
  enableIgw: toggle({
    group: 'Workers',
    doc: 'Start also when no worker is named: workers are registered over REST.',
  }),
  workerApiKey: optional(secret('key'), {
    group: 'Workers',
    doc: `Key sent to the workers of the start, where they have none of their own, when the caller brings none. Never shown. Workers of providers take theirs from ${KEY_VARIABLES.join(', ')}.`,
  }),
  workerStartupTimeoutSecs: single(seconds(), {
    group: 'Workers',
    default: 1800,
    doc: 'How long a worker may take to answer its first probe before it counts as failed.',
  }),
  workerStartupCheckInterval: single(seconds(), {
    group: 'Workers',
    default: 30,
    doc: 'Longest pause between the probes of a starting worker; pauses double from 1 second up to it.',
  }),
  drainTimeoutSecs: single(seconds({ min: 0 }), {
    group: 'Workers',
    default: 180,
    doc: 'How long the running calls of a worker that is removed may take to finish before they are cut off.',
  }),
  maxInFlightPerWorker: single(wholeNumber({ min: 0, note: '0 is no limit' }), {
    group: 'Workers',
    default: 0,
    doc: 'Calls that one worker may serve at the same time.',
  }),
  loadMonitorInterval: single(zeroIsOff, {
    group: 'Workers',
    default: 10,
    doc: 'How often engines that report their load are asked for it.',
  }),
  dpAware: toggle({
    group: 'Workers',
    doc: 'Balance between the data-parallel ranks of a worker (SGLang, vLLM) instead of leaving it to the engine.',
  }),
  modelAlias: list(
    modelAlias,
    {
      group: 'Workers',
      default: [],
      doc: 'Further names of models: a call for the alias is served as one for the model, or for the first of several that can take it. In the file also a mapping.',
      separator: BETWEEN_ALIASES,
    },
    oneMeaningPerAlias,
  ),
} as const satisfies OptionTable;

const keys = {
  apiKey: optional(secret('key'), {
    group: 'Keys',
    doc: 'Key that calls must bring; without control-plane keys it opens the control plane too. Never sent to workers.',
  }),
  tenantApiKey: list(
    tenantKey,
    {
      group: 'Keys',
      default: [],
      doc: 'Further keys for calls, each of a tenant, whose name stands in the log line of its calls. Never sent to workers.',
    },
    oneKeyPerTenant,
  ),
  controlPlaneApiKeys: list(
    controlPlaneKey,
    {
      group: 'Keys',
      default: [],
      doc: 'Keys for the control plane: the role admin may do everything, the role user may make calls only. Never sent to workers.',
      variables: ['CONTROL_PLANE_API_KEYS'],
    },
    oneKeyPerId,
  ),
  metricsPublic: toggle({
    group: 'Keys',
    doc: 'Serve metrics to callers without a key although the gateway has keys.',
  }),
  disableAuditLogging: toggle({ group: 'Keys', doc: 'Write no log line for changes through the control plane.' }),
} as const satisfies OptionTable;

const routing = {
  policy: single(choice(policyNames), {
    group: 'Routing',
    default: DEFAULT_POLICY,
    doc: 'How a worker is chosen among those that may serve a call.',
  }),
  modelPolicies: list(
    modelPolicy(policyNames),
    {
      group: 'Routing',
      default: [],
      doc: 'Policies of single models, in place of --policy and of the label `policy` of their workers. In the file also a mapping.',
      aliases: ['model-policy'],
    },
    onePolicyPerModel,
  ),
  routingKeyOverride: toggle({
    group: 'Routing',
    doc: 'Calls with an X-SMG-Routing-Key stay with the worker of their key, whatever the policy.',
  }),
  strictTranslation: toggle({
    group: 'Routing',
    doc: 'Answer 400 to a call of which a part would be lost in the translation to the API of its worker, instead of a warning.',
  }),
  mediaAllowHost: list(host, {
    group: 'Routing',
    default: [],
    doc: 'Hosts from which pictures and files that a call names by URL are fetched even though their addresses are private. They are fetched only for providers that take bytes alone.',
  }),
} as const satisfies OptionTable;

const MIB = 1024 * 1024;

const tokenizers = {
  modelPath: optional(text('source', 'a path or the id of a model of the hub'), {
    group: 'Tokenizers',
    doc: 'Where the files of the model are that workers behind gRPC serve: tokenizer, chat template, generation config. A folder or a file, or a hub id, which is looked up in the local hub cache and downloaded when it is not there. Not needed where the workers name a path or give their tokenizer.',
  }),
  tokenizerPath: optional(text('source', 'a path or the id of a model of the hub'), {
    group: 'Tokenizers',
    doc: 'Where the tokenizer is, tried before --model-path; a source of the same kinds.',
  }),
  chatTemplate: optional(chatTemplate, {
    group: 'Tokenizers',
    doc: "Chat template in place of the models' own: a file (.jinja, or .json with `chat_template`), or the template itself.",
  }),
  disableTokenizerAutoload: toggle({
    group: 'Tokenizers',
    doc: 'Load no tokenizer but those that are registered at /v1/tokenizers.',
  }),
  tokenizerWaitTimeoutSecs: single(seconds({ min: 0, note: '0 does not wait' }), {
    group: 'Tokenizers',
    default: 30,
    doc: 'How long a call waits for a tokenizer that is being loaded.',
  }),
  toolCallParser: optional(choice(TOOL_FORMAT_IDS), {
    group: 'Tokenizers',
    doc: "How models behind gRPC write calls of tools; found out by the model's name when it is not given.",
  }),
  reasoningParser: optional(choice(REASONING_FORMAT_IDS), {
    group: 'Tokenizers',
    doc: "How models behind gRPC write their thoughts; found out by the model's name when it is not given.",
  }),
  tokenizerCacheEnableL0: toggle({
    group: 'Tokenizers',
    doc: 'Remember the tokens of whole prompts.',
  }),
  tokenizerCacheL0MaxEntries: single(wholeNumber({ min: 2, max: 10_000_000 }), {
    group: 'Tokenizers',
    default: 10_000,
    doc: 'Prompts that are remembered, of each tokenizer; 128 MiB of them at most.',
  }),
  tokenizerCacheEnableL1: toggle({
    group: 'Tokenizers',
    doc: 'Remember the tokens of the parts of prompts, which end with special tokens: a conversation that comes again is tokenized from its newest part on.',
  }),
  tokenizerCacheL1MaxMemory: single(wholeNumber({ min: 1024, unit: 'bytes', placeholder: 'bytes' }), {
    group: 'Tokenizers',
    default: 50 * MIB,
    doc: 'Memory for the parts of prompts, of each tokenizer.',
  }),
} as const satisfies OptionTable;

const admission = {
  maxConcurrentRequests: single(concurrency, {
    group: 'Admission',
    default: -1,
    doc: 'Calls that may be in progress at once, from their admission to the end of their answer; others wait.',
  }),
  queueSize: single(wholeNumber({ min: 0, max: 100_000, note: '0 lets nobody wait' }), {
    group: 'Admission',
    default: 100,
    doc: 'Calls that may wait for a free place; more are answered with 429. Classes have queues of their own.',
  }),
  queueTimeoutSecs: single(seconds(), {
    group: 'Admission',
    default: 60,
    doc: 'How long a call may wait for a free place before it is answered with 408.',
  }),
  rateLimitTokensPerSecond: single(decimal({ min: 0, max: 1_000_000, note: '0 is no limit' }), {
    group: 'Admission',
    default: 0,
    doc: 'Calls that are let in per second in the long run; as many as may be in progress may come at once.',
  }),
  prioritySchedulerEnabled: toggle({
    group: 'Admission',
    doc: 'Let calls in by their class (x-smg-priority), with reservations and preemption.',
  }),
  prioritySchedulerDefaultMaxClass: single(choice(CLASS_NAMES), {
    group: 'Admission',
    default: 'default',
    doc: 'Highest class that callers may ask for whose tenant has no policy in the scheduler file.',
  }),
  prioritySchedulerConfig: optional(prioritySettings, {
    group: 'Admission',
    doc: 'Scheduler file: what each class is given, and the highest class of each tenant.',
  }),
} as const satisfies OptionTable;

const retries = {
  retryMaxRetries: single(wholeNumber({ min: 1, max: 100 }), {
    group: 'Retries',
    default: 5,
    doc: 'Attempts for one call, the first one included.',
  }),
  retryInitialBackoffMs: single(milliseconds(0), {
    group: 'Retries',
    default: 50,
    doc: 'Pause before the second attempt.',
  }),
  retryMaxBackoffMs: single(milliseconds(0), {
    group: 'Retries',
    default: 30_000,
    doc: 'Longest pause between two attempts.',
  }),
  retryBackoffMultiplier: single(decimal({ min: 1, max: 1000 }), {
    group: 'Retries',
    default: 1.5,
    doc: 'Growth of the pause from one attempt to the next.',
  }),
  retryJitterFactor: single(decimal({ min: 0, max: 1 }), {
    group: 'Retries',
    default: 0.2,
    doc: 'Share of the pause that is random, to both sides.',
  }),
  retryBudgetRatio: single(decimal({ min: 0, max: 10 }), {
    group: 'Retries',
    default: 0.2,
    doc: 'Retries that all calls together may cost, as a share of the calls.',
  }),
  retryBudgetMin: single(wholeNumber({ min: 0 }), {
    group: 'Retries',
    default: 3,
    doc: 'Retries that are always allowed at once, whatever the share.',
  }),
  retryAfterMaxWaitMs: single(milliseconds(0), {
    group: 'Retries',
    default: 2000,
    doc: 'Longest Retry-After of a worker that the gateway waits out itself; a longer one is passed to the client.',
  }),
  disableRetries: toggle({ group: 'Retries', doc: 'Send each call once.' }),
} as const satisfies OptionTable;

const breaker = {
  cbFailureThreshold: single(wholeNumber({ min: 1 }), {
    group: 'Circuit breaker',
    default: 10,
    doc: 'Failures in a row that take a worker out of service.',
  }),
  cbSuccessThreshold: single(wholeNumber({ min: 1 }), {
    group: 'Circuit breaker',
    default: 3,
    doc: 'Successful calls in a row that bring it back into full service.',
  }),
  cbTimeoutDurationSecs: single(seconds(), {
    group: 'Circuit breaker',
    default: 60,
    doc: 'How long it is left alone before a call is tried on it again.',
  }),
  cbWindowDurationSecs: single(seconds(), {
    group: 'Circuit breaker',
    default: 120,
    doc: 'Failures older than this no longer count towards the row.',
  }),
  disableCircuitBreaker: toggle({
    group: 'Circuit breaker',
    doc: 'Never take a worker out of service for failed calls.',
  }),
} as const satisfies OptionTable;

const health = {
  healthFailureThreshold: single(wholeNumber({ min: 1 }), {
    group: 'Health checks',
    default: 3,
    doc: 'Failed checks in a row after which a worker is unhealthy.',
  }),
  healthSuccessThreshold: single(wholeNumber({ min: 1 }), {
    group: 'Health checks',
    default: 2,
    doc: 'Passed checks in a row after which an unhealthy worker is ready again.',
  }),
  healthCheckTimeoutSecs: single(seconds(), {
    group: 'Health checks',
    default: 5,
    doc: 'How long a worker may take to answer one check.',
  }),
  healthCheckIntervalSecs: single(seconds(), {
    group: 'Health checks',
    default: 60,
    doc: 'Pause between two checks of a worker.',
  }),
  healthCheckEndpoint: single(urlPath, {
    group: 'Health checks',
    default: '/health',
    doc: 'Path on the worker that is asked.',
  }),
  disableHealthCheck: toggle({ group: 'Health checks', doc: 'Do not check workers that are ready.' }),
} as const satisfies OptionTable;

const timeouts = {
  connectTimeoutSecs: single(zeroIsOff, {
    group: 'Timeouts',
    default: 10,
    doc: 'Time to connect to a worker, for each attempt.',
  }),
  responseHeadersTimeoutSecs: single(zeroIsOff, {
    group: 'Timeouts',
    default: 600,
    doc: "Time until a worker's response headers, for each attempt.",
  }),
  firstContentTimeoutSecs: single(zeroIsOff, {
    group: 'Timeouts',
    default: 600,
    doc: 'Time until the first content of a stream, for each attempt.',
  }),
  streamIdleTimeoutSecs: single(zeroIsOff, {
    group: 'Timeouts',
    default: 300,
    doc: 'Longest silence inside an answer that has begun.',
  }),
  requestTimeoutSecs: single(zeroIsOff, {
    group: 'Timeouts',
    default: 1800,
    doc: 'Time for the whole call with all its attempts; a stream that is alive is not cut.',
  }),
} as const satisfies OptionTable;

const logging = {
  logLevel: single(choice(['debug', 'info', 'warn', 'error']), {
    group: 'Logging and metrics',
    default: 'info',
    doc: 'Least important lines that are logged.',
  }),
  logJson: toggle({ group: 'Logging and metrics', doc: 'Log JSON lines instead of text for people.' }),
  logDir: optional(text('dir', 'the path of a folder'), {
    group: 'Logging and metrics',
    doc: 'Folder for log files; unset logs to standard output.',
  }),
  prometheusHost: single(host, {
    group: 'Logging and metrics',
    default: '0.0.0.0',
    doc: 'Address or name on which metrics are served.',
  }),
  prometheusPort: single(port, {
    group: 'Logging and metrics',
    default: 29_000,
    doc: 'Port on which metrics are served.',
  }),
  prometheusDurationBuckets: list(
    seconds({ min: 0.000_001 }),
    {
      group: 'Logging and metrics',
      default: [],
      doc: 'Upper bounds of the buckets of every duration histogram, ascending; none keeps those built in.',
    },
    ascending,
  ),
  disableMetrics: toggle({ group: 'Logging and metrics', doc: 'Serve no metrics.' }),
} as const satisfies OptionTable;

/** Every option of the gateway that is not a policy's, in the order of help and reference. */
export const options = {
  ...listener,
  ...workers,
  ...keys,
  ...routing,
  ...tokenizers,
  ...admission,
  ...retries,
  ...breaker,
  ...health,
  ...timeouts,
  ...logging,
} as const satisfies OptionTable;

/** All of them, those of the policies too. */
export const gatewayOptions: OptionTable = { ...options, ...policyOptions };

/** The gateway's configuration: complete, checked, frozen. Durations have the unit that their name says. */
export type Config = ValuesOf<typeof options> & {
  /** The values of the policies' options, by key. */
  readonly policyOptions: Readonly<Record<string, unknown>>;
  /** Keys for the providers' workers of the start, by provider. Never shown. */
  readonly providerKeys: ReadonlyMap<string, string>;
};
