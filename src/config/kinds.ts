/**
 * The kinds of values that options have: numbers, choices, addresses, URLs, names. Owns what is accepted of each and
 * in which form it is kept; pure.
 */
import { isIP } from 'node:net';
import { bad, good, type Kind, kind, type Reading, show } from './option.ts';
import { suggestion } from './names.ts';
import { readWorkerUrl } from './worker-url.ts';

interface Range {
  readonly min: number;
  readonly max?: number;
  /** In words, plural: `seconds`. */
  readonly unit?: string;
  readonly placeholder?: string;
  /** What the smallest value means, where it means something: `0 turns it off`. */
  readonly note?: string;
}

function rangeText(noun: string, { min, max, unit, note }: Range): string {
  const of = unit === undefined ? noun : `${noun} of ${unit}`;
  const bounds = max === undefined ? `, at least ${min}` : ` from ${min} to ${max}`;
  return `${of}${bounds}${note === undefined ? '' : ` (${note})`}`;
}

function inRange(value: number, { min, max = Number.MAX_SAFE_INTEGER }: Range): boolean {
  return value >= min && value <= max;
}

function readNumber(raw: unknown, pattern: RegExp): number {
  if (typeof raw === 'number') return raw;
  return typeof raw === 'string' && pattern.test(raw.trim()) ? Number(raw) : Number.NaN;
}

/** 3, not 3.5 and not 1e3. */
export function wholeNumber(range: Range): Kind<number> {
  return kind(
    { accepts: rangeText('a whole number', range), placeholder: range.placeholder ?? 'number' },
    (raw: unknown) => {
      const value = readNumber(raw, /^[+-]?\d+$/);
      return Number.isSafeInteger(value) && inRange(value, range) ? value : undefined;
    },
  );
}

/** How much may go on at once; 0 would be a gateway that serves nobody. */
export const concurrency: Kind<number> = kind(
  { accepts: 'a whole number, at least 1, or -1 (no limit)', placeholder: 'number' },
  (raw) => {
    const value = readNumber(raw, /^[+-]?\d+$/);
    return Number.isSafeInteger(value) && (value === -1 || value >= 1) ? value : undefined;
  },
);

/** 3, 3.5 or .5. */
export function decimal(range: Range): Kind<number> {
  return kind({ accepts: rangeText('a number', range), placeholder: range.placeholder ?? 'number' }, (raw: unknown) => {
    const value = readNumber(raw, /^[+-]?(\d+\.?\d*|\.\d+)$/);
    return Number.isFinite(value) && inRange(value, range) ? value : undefined;
  });
}

/** Timers hold at most 2^31 - 1 ms, a little more than this many seconds. */
const MAX_SECONDS = 2_000_000;

/** Seconds, fractions allowed. `min` 0 is right only where 0 means something. */
export function seconds({ min = 0.01, note }: { min?: number; note?: string } = {}): Kind<number> {
  return decimal({
    min,
    max: MAX_SECONDS,
    unit: 'seconds',
    placeholder: 'secs',
    ...(note === undefined ? {} : { note }),
  });
}

/** Milliseconds, whole. */
export function milliseconds(min: number): Kind<number> {
  return wholeNumber({ min, max: MAX_SECONDS * 1000, unit: 'milliseconds', placeholder: 'ms' });
}

/** One of a few names. */
export function choice<const Name extends string>(names: readonly Name[], note?: string): Kind<Name> {
  const listed = names.length === 1 ? `${names[0]}` : `one of ${names.join(', ')}`;
  const accepts = note === undefined ? listed : `${listed} (${note})`;
  return {
    accepts,
    placeholder: 'name',
    secret: false,
    choices: names,
    read(raw) {
      const found = names.find((name) => name === raw);
      if (found !== undefined) return good(found);
      return bad(`${show(raw)} is not ${accepts}${typeof raw === 'string' ? suggestion(raw, names) : ''}`);
    },
  };
}

/** Text on one line, not empty. */
export function text(placeholder: string, accepts = 'text'): Kind<string> {
  return kind({ accepts, placeholder }, (raw) =>
    typeof raw === 'string' && raw.trim() !== '' && !/\p{Cc}/u.test(raw) ? raw : undefined,
  );
}

/** Text that is never shown: problem lines, help and reference leave it out. It has to fit into a header. */
export function secret(placeholder: string): Kind<string> {
  return kind({ accepts: 'printable ASCII text without spaces', placeholder, secret: true }, (raw) => {
    const value = typeof raw === 'string' ? raw.trim() : '';
    return /^[\x21-\x7e]+$/.test(value) ? value : undefined;
  });
}

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i;

/** Where to listen: an IPv4 address, an IPv6 address (brackets are taken off) or a name. */
export const host: Kind<string> = kind({ accepts: 'an IP address or a host name', placeholder: 'host' }, (raw) => {
  if (typeof raw !== 'string') return undefined;
  const bare = raw.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) !== 0) return bare;
  // Digits and dots only: a mistyped address, not a name.
  return HOST_NAME.test(raw) && !/^[\d.]+$/.test(raw) ? raw : undefined;
});

/** A header's name, kept in lower case. */
export const headerName: Kind<string> = kind({ accepts: 'a header name', placeholder: 'names' }, (raw) =>
  typeof raw === 'string' && /^[a-z0-9!#$%&'*+.^_`|~-]+$/i.test(raw) ? raw.toLowerCase() : undefined,
);

/** An origin as browsers send it, or `*`. */
export const origin: Kind<string> = kind(
  { accepts: '* or an origin such as https://app.example.com', placeholder: 'origins' },
  (raw) => {
    if (raw === '*') return raw;
    if (typeof raw !== 'string' || !URL.canParse(raw)) return undefined;
    const url = new URL(raw);
    return url.origin !== 'null' && raw.toLowerCase().replace(/\/$/, '') === url.origin ? url.origin : undefined;
  },
);

/** A path on a worker: begins with a slash, has no spaces. */
export const urlPath: Kind<string> = kind({ accepts: 'a path such as /health', placeholder: 'path' }, (raw) =>
  typeof raw === 'string' && /^\/[\x21-\x7e]*$/.test(raw) ? raw : undefined,
);

/** A worker's URL, normalised. */
export const workerUrl: Kind<string> = {
  accepts: 'an http or https URL, or host:port',
  placeholder: 'urls',
  secret: false,
  choices: [],
  read: readWorkerUrl,
};

/** Each worker once, compared after normalising; a missing scheme counts as http. */
export function eachUrlOnce(urls: readonly string[]): Reading<readonly string[]> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const url of urls) {
    const full = url.includes('://') ? url : `http://${url}`;
    if (seen.has(full)) twice.add(full);
    seen.add(full);
  }
  return twice.size === 0 ? good(urls) : bad(...[...twice].map((url) => `${show(url)} is given more than once`));
}

/** Another name for a model, or for several: each is tried when those before it cannot take a call. */
export interface ModelAlias {
  readonly alias: string;
  /** At least one, each once, in order. */
  readonly models: readonly string[];
}

/**
 * `alias=model,model`, split at the first equals sign; in the file also a mapping of one alias to a model or to a list
 * of models, where names with commas have their place.
 */
export const modelAlias: Kind<ModelAlias> = kind(
  { accepts: 'alias=model, or alias=model,model with each model once', placeholder: 'alias=models' },
  (raw) => {
    const [alias, models] = aliasParts(raw);
    const isGood = models.length > 0 && models.every((model) => /^\S+$/.test(model));
    if (alias === undefined || !isGood || new Set(models).size < models.length) return undefined;
    return Object.freeze({ alias, models: Object.freeze(models) });
  },
);

function aliasParts(raw: unknown): [alias: string | undefined, models: string[]] {
  if (typeof raw === 'string') {
    const [, alias, models = ''] = /^\s*([^=\s]+)=(\S+)\s*$/.exec(raw) ?? [];
    return [alias, models.split(',')];
  }
  const [entry, second] = typeof raw === 'object' && raw !== null ? Object.entries(raw) : [];
  if (entry === undefined || second !== undefined || !/^[^=\s]+$/.test(entry[0])) return [undefined, []];
  const given: unknown = entry[1];
  if (Array.isArray(given)) return [entry[0], given.map(modelName)];
  return [entry[0], modelName(given).split(',')];
}

/** YAML takes a name of digits for a number; what is no name at all is empty, and refused. */
function modelName(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Where a text with several aliases is cut: at spaces, and at a comma before the next `alias=`. */
export const BETWEEN_ALIASES = /\s+|,(?=[^\s,=]+=)/;

/** One meaning for each alias; the same twice counts once. */
export function oneMeaningPerAlias(pairs: readonly ModelAlias[]): Reading<readonly ModelAlias[]> {
  const words = { noun: 'alias', plural: 'models' };
  return oneFor(pairs, { of: ({ alias }) => alias, give: ({ models }) => models.join(','), ...words });
}

/** What is meant for a host goes to another place. */
export interface HostMapping {
  /** Lower-case; with a port when only that port is meant. */
  readonly host: string;
  /** Scheme, host, port and perhaps a path, without a slash at its end. */
  readonly url: string;
}

/** `host=url`. */
export const hostMapping: Kind<HostMapping> = kind(
  { accepts: 'host=url, such as api.openai.com=http://relay:8080', placeholder: 'host=url' },
  (raw) => {
    const [, name = '', port = '', target = ''] =
      (typeof raw === 'string' ? /^\s*([^=\s:/]+)(:\d{1,5})?=(\S+)\s*$/.exec(raw) : null) ?? [];
    if (!HOST_NAME.test(name) || !/^https?:\/\//i.test(target) || !URL.canParse(target)) return undefined;
    const url = new URL(target);
    if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return undefined;
    return Object.freeze({ host: `${name}${port}`.toLowerCase(), url: url.href.replace(/\/+$/, '') });
  },
);

/** One place for each host; the same twice counts once. */
export function onePlacePerHost(pairs: readonly HostMapping[]): Reading<readonly HostMapping[]> {
  return oneFor(pairs, { of: ({ host }) => host, give: ({ url }) => url, noun: 'host', plural: 'places' });
}

interface PairWords<Pair> {
  readonly of: (pair: Pair) => string;
  readonly give: (pair: Pair) => string;
  /** What the first of a pair is, and what several of the second are: `alias "a" has two models`. */
  readonly noun: string;
  readonly plural: string;
}

function oneFor<Pair>(pairs: readonly Pair[], { of, give, noun, plural }: PairWords<Pair>): Reading<readonly Pair[]> {
  const firsts = new Map<string, Pair>();
  const complaints: string[] = [];
  for (const pair of pairs) {
    const first = firsts.get(of(pair)) ?? pair;
    firsts.set(of(pair), first);
    if (give(first) !== give(pair)) {
      complaints.push(`${noun} ${show(of(pair))} has two ${plural}: ${show(give(first))} and ${show(give(pair))}`);
    }
  }
  return complaints.length === 0 ? good([...firsts.values()]) : { ok: false, complaints };
}

/** The policy of one model. */
export interface ModelPolicy {
  readonly model: string;
  readonly policy: string;
}

/** `model=policy`, split at the last equals sign. */
export function modelPolicy(names: readonly string[]): Kind<ModelPolicy> {
  const policyName = choice(names);
  const accepts = `model=policy, the policy ${policyName.accepts}`;
  return {
    accepts,
    placeholder: 'pairs',
    secret: false,
    choices: [],
    read(raw) {
      const [, model, name] = (typeof raw === 'string' ? /^\s*(\S+)=([^=\s]*)\s*$/.exec(raw) : null) ?? [];
      if (model === undefined) return bad(`${show(raw)} is not ${accepts}`);
      const policy = policyName.read(name);
      return policy.ok ? good(Object.freeze({ model, policy: policy.value })) : policy;
    },
  };
}

/** One policy for each model; the same pair twice counts once. */
export function onePolicyPerModel(pairs: readonly ModelPolicy[]): Reading<readonly ModelPolicy[]> {
  return oneFor(pairs, { of: ({ model }) => model, give: ({ policy }) => policy, noun: 'model', plural: 'policies' });
}

/** Every number above the one before. */
export function ascending(numbers: readonly number[]): Reading<readonly number[]> {
  const fall = numbers.findIndex((value, index) => index > 0 && value <= (numbers[index - 1] ?? 0));
  if (fall < 0) return good(numbers);
  return bad(`the list does not ascend: ${numbers[fall]} comes after ${numbers[fall - 1]}`);
}
