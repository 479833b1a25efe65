/**
 * Makes the gateway's configuration, and that of `smg serve`, from flags, environment and file. Owns the checks that
 * concern more than one option and names that no option has. Pure: files are read by file.ts, the rest is handed in.
 */
import { repeatedKeys } from './key-kinds.ts';
import {
  commonOptions,
  type ServeOptions,
  serveOptions,
  type SimulateOptions,
  simulateOptions,
} from './command-options.ts';
import { fileKeyOf, flagOf, suggestion, variableOf } from './names.ts';
import { eachUrlOnce } from './kinds.ts';
import { type OptionTable, show } from './option.ts';
import { isServiceLink, type Resolved, resolveOptions, type Sources } from './resolve.ts';
import { policyOptions } from './policy-options.ts';
import { readProviderKeys } from './provider-keys.ts';
import { type Config, gatewayOptions, options } from './schema.ts';
import { providerNamed } from '../domain/providers/index.ts';

/** Either a configuration or everything that is wrong with it, one line each. Warnings do not stop a start. */
export type Loaded<T> =
  | { readonly ok: true; readonly config: T; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[]; readonly warnings: readonly string[] };

const everyOption: OptionTable = { ...commonOptions, ...serveOptions, ...gatewayOptions };
const namedElsewhere = Object.keys(everyOption).filter((key) => everyOption[key]?.flagOnly === false);

function unknownVariables(env: Sources['env']): string[] {
  const known = namedElsewhere.filter((key) => everyOption[key]?.fileOnly === false).map(variableOf);
  const names = Object.keys(env ?? {}).filter((name) => name.startsWith('SMG_'));
  return names.flatMap((name) => {
    if (isServiceLink(name, env?.[name] ?? '') || known.includes(name)) return [];
    return [`environment variable ${name}: no option has this name, it is ignored${suggestion(name, known)}`];
  });
}

/** The command line reports its own; these come from code that starts a gateway. */
function unknownFlags(flags: Sources['flags']): string[] {
  const unknown = Object.keys(flags ?? {}).filter((key) => !Object.hasOwn(everyOption, key));
  return unknown.map((key) => `flag ${flagOf(key)}: no option has this name`);
}

function unknownFileKeys(file: Sources['file']): string[] {
  if (file === undefined) return [];
  // The file cannot name another file; everything else is shared by all commands.
  const known = namedElsewhere.map(fileKeyOf).filter((key) => key !== 'config');
  const unknown = Object.keys(file.entries).filter((key) => !known.includes(key));
  return unknown.map((key) => {
    const hint = suggestion(key.replaceAll('-', '_'), known);
    return `file ${file.path}, key ${show(key).slice(1, -1)}: no option has this name${hint}`;
  });
}

/** Whether two listeners with one port number would get into each other's way. */
function hostsOverlap(a: string, b: string): boolean {
  const isAny = (host: string) => host === '0.0.0.0' || host === '::';
  return a === b || isAny(a) || isAny(b);
}

/** Checks of two options together; a value that was refused takes part in none. */
function conflicts({ values, origins, rejected }: Resolved<typeof options>): string[] {
  const problems: string[] = [];
  const areGood = (...keys: (keyof Config)[]) => !keys.some((key) => rejected.has(key));
  const { retryInitialBackoffMs, retryMaxBackoffMs, port, prometheusPort } = values;
  if (retryInitialBackoffMs > retryMaxBackoffMs && areGood('retryInitialBackoffMs', 'retryMaxBackoffMs')) {
    const longest = `the longest pause, ${retryMaxBackoffMs} (${origins['retryMaxBackoffMs']})`;
    problems.push(`${origins['retryInitialBackoffMs']}: ${retryInitialBackoffMs} is more than ${longest}`);
  }
  const isShared = port === prometheusPort && port !== 0 && hostsOverlap(values.host, values.prometheusHost);
  if (isShared && !values.disableMetrics && areGood('port', 'prometheusPort', 'host', 'prometheusHost')) {
    const taker = `the port for clients (${origins['port']})`;
    problems.push(`${origins['prometheusPort']}: ${port} is also ${taker}; metrics need their own`);
  }
  if (areGood('workerUrls', 'workers')) {
    const once = eachUrlOnce([...values.workerUrls, ...values.workers.map(({ url }) => url)]);
    if (!once.ok) problems.push(...once.complaints.map((complaint) => `${origins['workers']}: ${complaint}`));
  }
  if (values.prioritySchedulerConfig && !values.prioritySchedulerEnabled && areGood('prioritySchedulerEnabled')) {
    problems.push(`${origins['prioritySchedulerConfig']}: it has no effect without --priority-scheduler-enabled`);
  }
  return problems;
}

/** Every key for callers, with the words for where it stands. */
function keysOf({ values, origins }: Resolved<typeof options>): Parameters<typeof repeatedKeys>[0] {
  const listed = (option: 'tenantApiKey' | 'controlPlaneApiKeys') =>
    values[option].map(({ key }, index) => ({ origin: `${origins[option]}: entry ${index + 1}`, key }));
  const one = values.apiKey === undefined ? [] : [{ origin: `${origins['apiKey']}`, key: values.apiKey }];
  return [...one, ...listed('tenantApiKey'), ...listed('controlPlaneApiKeys')];
}

/** Lists of pairs that the file may also write as a mapping, and what becomes of each pair of it. */
const PAIR_KEYS: Readonly<Record<string, (name: string, value: unknown) => unknown>> = {
  model_alias: (name, value) => ({ [name]: value }),
  map_host: (name, value) => `${name}=${String(value)}`,
  model_policies: (name, value) => `${name}=${String(value)}`,
};

/** Makes mappings of the file the lists that their options read. */
function mappingsAsLists(sources: Sources): Sources {
  const { file } = sources;
  if (file === undefined) return sources;
  const lists = Object.entries(PAIR_KEYS).flatMap(([key, pairOf]) => {
    const entry = file.entries[key];
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return [];
    return [[key, Object.entries(entry).map(([name, value]: [string, unknown]) => pairOf(name, value))]];
  });
  return { ...sources, file: { ...file, entries: { ...file.entries, ...Object.fromEntries(lists) } } };
}

/** What keeps a gateway from starting that brings no engines of its own. */
export function startProblems({ enableIgw, workerUrls, workers }: Config): string[] {
  if (enableIgw || workerUrls.length > 0 || workers.length > 0) return [];
  return ['no worker is named: give --worker-urls, or --enable-igw to start with none and register them over REST'];
}

/** The gateway's configuration: precedence is flag, environment, file, default. `left`: options not to be read. */
export function loadConfig(sources: Sources, left: readonly string[] = []): Loaded<Config> {
  const listed = mappingsAsLists(sources);
  const resolved = resolveOptions(options, listed, left);
  const ofPolicies = resolveOptions(policyOptions, listed);
  const providerKeys = readProviderKeys(sources.env);
  const warnings = [...unknownVariables(sources.env), ...providerKeys.warnings];
  const problems = [
    ...(sources.file?.problems ?? []),
    ...unknownFlags(sources.flags),
    ...unknownFileKeys(sources.file),
    ...resolved.problems,
    ...ofPolicies.problems,
    ...conflicts(resolved),
    ...repeatedKeys(keysOf(resolved)),
  ];
  if (problems.length > 0) return { ok: false, problems, warnings };
  const values = withOwnUrl(resolved.values);
  warnings.push(...values.workers.flatMap(({ url, doubts }) => doubts.map((doubt) => `worker ${show(url)}: ${doubt}`)));
  const further = { policyOptions: ofPolicies.values, providerKeys: providerKeys.keys };
  return { ok: true, config: Object.freeze({ ...values, ...further }), warnings };
}

type Values = Resolved<typeof options>['values'];

/** A provider alone, without any worker, means the one at its own URL. */
function withOwnUrl(values: Values): Values {
  const url = values.backend === undefined ? undefined : providerNamed(values.backend)?.url;
  if (url === undefined || values.workerUrls.length > 0 || values.workers.length > 0) return values;
  return { ...values, workerUrls: Object.freeze([url]) };
}

/** The options of `smg serve`; the gateway's own are loaded by `loadConfig` from the same sources. */
export function loadServeOptions(sources: Sources): Loaded<ServeOptions> {
  const { values, origins, rejected, problems } = resolveOptions(serveOptions, sources);
  const needsModel = values.backend !== 'sim' && values.model === undefined;
  const isMissing = needsModel && !rejected.has('model') && !rejected.has('backend');
  const all = isMissing
    ? [...problems, `flag --model: it is required for the engine ${values.backend} (${origins['backend']})`]
    : problems;
  return all.length === 0 ? { ok: true, config: values, warnings: [] } : { ok: false, problems: all, warnings: [] };
}

/** The options of `smg simulate`, from flags alone. */
export function loadSimulateOptions(flags: Sources['flags']): Loaded<SimulateOptions> {
  const { values, problems } = resolveOptions(simulateOptions, flags === undefined ? {} : { flags });
  const loads = [values.trace, values.load].filter((value) => value !== undefined).length;
  const choice = 'give one of --trace FILE and --load NAME';
  const all =
    loads === 1 || problems.length > 0
      ? problems
      : [`${loads === 0 ? 'there is nothing to play' : 'there are two loads'}; ${choice}`];
  return all.length === 0 ? { ok: true, config: values, warnings: [] } : { ok: false, problems: all, warnings: [] };
}
