/**
 * The building blocks of an option table: how a value is read from text (flag, environment) or from a parsed file, and
 * what an option says about itself. Owns reading of single options; knows no option by name and no source.
 */

/** A value, or one complaint for each thing that is wrong with it. Complaints never show a secret. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly complaints: readonly string[] };

/** A kind of value. */
export interface Kind<T> {
  /** A noun phrase that ends "…is not" and begins "Accepts": `a whole number from 1 to 9`. */
  readonly accepts: string;
  /** Stands for the value in help: `--port <number>`. */
  readonly placeholder: string;
  readonly secret: boolean;
  /** The only values, where they can be listed. */
  readonly choices: readonly string[];
  /** Reads text, or a value of the configuration file. */
  readonly read: (raw: unknown) => Reading<T>;
}

/** What every row of a table says. */
interface Facts<T> {
  /** Heading in help and reference. */
  readonly group: string;
  /** One sentence, or two. */
  readonly doc: string;
  readonly default: T;
  /** Shorter spellings of the flag, without dashes. */
  readonly aliases?: readonly string[];
  /** Neither an environment variable nor a file key. */
  readonly flagOnly?: boolean;
  /** Further names of its environment variable; its own name comes first. */
  readonly variables?: readonly string[];
  /** Neither a flag nor an environment variable: too rich for a line of text. */
  readonly fileOnly?: boolean;
  /** Where the text of an environment variable is cut into the values of a list. */
  readonly separator?: RegExp;
}

/** One option; flag, variable and file key are derived from its key in the table. */
export interface Option<T> extends Omit<Kind<T>, 'read'> {
  readonly shape: 'switch' | 'single' | 'list';
  readonly group: string;
  readonly doc: string;
  readonly default: T;
  readonly aliases: readonly string[];
  readonly flagOnly: boolean;
  readonly variables: readonly string[];
  readonly fileOnly: boolean;
  readonly separator: RegExp;
  readonly read: (raw: unknown) => Reading<T>;
}

/** Spaces and commas. */
const SEPARATOR = /[\s,]+/;

export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** The values of a table: its key → what its option reads. */
export type ValuesOf<Table extends OptionTable> = {
  readonly [Key in keyof Table]: Table[Key] extends Option<infer Value> ? Value : never;
};

/** Shows a bad value in a problem line: one line, bounded, without the credentials and the query of a URL. */
export function show(raw: unknown): string {
  const text = JSON.stringify(raw) ?? String(raw);
  const nameless = text.replace(/("(?:[a-z+.-]+:\/\/)?)[^"]*@/gi, '$1***@');
  const safe = nameless.replace(/((?::\/\/|:\d)[^"?#]*[?#])[^"]+/g, '$1***');
  return safe.length > 80 ? `${safe.slice(0, 77)}…` : safe;
}

export function good<T>(value: T): Reading<T> {
  return { ok: true, value };
}

export function bad<T>(...complaints: string[]): Reading<T> {
  return { ok: false, complaints };
}

/** Builds a kind from a function that returns undefined for what it does not accept. */
export function kind<T>(
  facts: { accepts: string; placeholder: string; secret?: boolean; choices?: readonly string[] },
  parse: (raw: unknown) => T | undefined,
): Kind<T> {
  const shown = (raw: unknown) => (facts.secret === true ? 'the value (not shown)' : show(raw));
  return {
    secret: false,
    choices: [],
    ...facts,
    read(raw) {
      const value = parse(raw);
      return value === undefined ? bad(`${shown(raw)} is not ${facts.accepts}`) : good(value);
    },
  };
}

function build<T>(shape: Option<T>['shape'], of: Omit<Kind<T>, 'read'>, facts: Facts<T>, read: Option<T>['read']) {
  const { accepts, placeholder, secret, choices } = of;
  const option: Option<T> = {
    aliases: [],
    flagOnly: false,
    variables: [],
    fileOnly: false,
    separator: SEPARATOR,
    ...facts,
    shape,
    accepts,
    placeholder,
    secret,
    choices,
    read,
  };
  if (Array.isArray(option.default)) Object.freeze(option.default);
  return Object.freeze(option);
}

/** An option with exactly one value. */
export function single<T>(of: Kind<T>, facts: Facts<NoInfer<T>>): Option<T> {
  return build('single', of, facts, of.read);
}

/** An option that may stay unset. */
export function optional<T>(of: Kind<T>, facts: Omit<Facts<T>, 'default'>): Option<T | undefined> {
  return build<T | undefined>('single', of, { ...facts, default: undefined }, of.read);
}

/** An option that is on or off. */
export function toggle(facts: Omit<Facts<boolean>, 'default'> & { readonly default?: boolean }): Option<boolean> {
  const of = kind({ accepts: 'true or false', placeholder: 'boolean' }, readBoolean);
  return build('switch', of, { default: false, ...facts }, of.read);
}

const BOOLEAN_WORDS = new Map([
  ['true', true],
  ['yes', true],
  ['on', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['off', false],
  ['0', false],
]);

/** True and false in every spelling that people use; undefined for anything else. */
export function readBoolean(raw: unknown): boolean | undefined {
  if (typeof raw === 'boolean') return raw;
  return typeof raw === 'string' ? BOOLEAN_WORDS.get(raw.trim().toLowerCase()) : undefined;
}

/**
 * An option with any number of values. `finish` sees all good ones with their places (from 1) and may refuse them, or
 * give back others; a scalar in the file counts as a list of one.
 */
export function list<T>(
  of: Kind<T>,
  facts: Facts<readonly NoInfer<T>[]>,
  finish: (values: readonly T[], places: readonly number[]) => Reading<readonly T[]> = good,
): Option<readonly T[]> {
  const read = (raw: unknown): Reading<readonly T[]> => {
    const items: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
    const readings = items.map((item, index) => (of.secret ? placed(of.read(item), index + 1) : of.read(item)));
    const finished = finish(
      readings.flatMap((reading) => (reading.ok ? [reading.value] : [])),
      readings.flatMap((reading, index) => (reading.ok ? [index + 1] : [])),
    );
    const complaints = [...readings, finished].flatMap((reading) => (reading.ok ? [] : reading.complaints));
    if (complaints.length > 0 || !finished.ok) return { ok: false, complaints };
    return good(Object.freeze([...finished.value]));
  };
  const { secret, choices, placeholder } = of;
  return build<readonly T[]>(
    'list',
    { accepts: `a list, each ${of.accepts}`, placeholder, secret, choices },
    facts,
    read,
  );
}

/** A secret value cannot be shown, so its place says which one is meant. */
function placed<T>(reading: Reading<T>, place: number): Reading<T> {
  if (reading.ok) return reading;
  return { ok: false, complaints: reading.complaints.map((complaint) => `entry ${place}: ${complaint}`) };
}

/** The default in words: for help and reference. */
export function defaultText(option: Option<unknown>): string {
  const value = option.default;
  if (value === undefined) return 'unset';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(' ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
