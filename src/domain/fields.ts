/**
 * The building blocks of a table of JSON fields: how each is read, and what it says about itself. Bodies of the control
 * plane and the list of workers in the configuration file are read by it; the reference page derives from it. Pure.
 * Every problem is told, not the first one only; none shows a value, which may be a key.
 */

/** What is wrong with one field. `text` is the end of a sentence that begins with the path. */
export interface FieldProblem {
  readonly path: string;
  readonly text: string;
}

/** Values that are read, and what has been found wrong so far. */
export interface FieldReader {
  readonly problems: FieldProblem[];
}

export interface Field<T> {
  /** A noun phrase: `a whole number from 0 to 100`; empty for a field that is refused. */
  readonly accepts: string;
  /** For the reference page; empty for none. */
  readonly default: string;
  /** One sentence, or two; of a field that is refused, why. */
  readonly doc: string;
  /** The fields inside, for the reference page. */
  readonly inner: FieldTable | undefined;
  /** Undefined once a problem has been told. */
  read(value: unknown, path: string, reader: FieldReader): T | undefined;
}

export type FieldTable = Readonly<Record<string, Field<unknown>>>;

/** The values of a table; a field that was not given, or was bad, is undefined. */
export type FieldValues<Table extends FieldTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Field<infer Value> ? Value | undefined : never;
};

interface Facts {
  readonly doc: string;
  readonly default?: string;
}

interface Range {
  readonly min: number;
  readonly max?: number;
  /** Zero itself is not accepted. */
  readonly isAboveMin?: boolean;
}

/** A field of one value; `parse` gives undefined for what is not accepted. */
function simple<T>(accepts: string, facts: Facts, parse: (value: unknown) => T | undefined): Field<T> {
  return {
    accepts,
    default: '',
    inner: undefined,
    ...facts,
    read(value, path, { problems }) {
      const parsed = parse(value);
      if (parsed === undefined) problems.push({ path, text: `must be ${accepts}` });
      return parsed;
    },
  };
}

function isWithin(value: unknown, { min, max = Number.MAX_VALUE, isAboveMin }: Range): value is number {
  return typeof value === 'number' && value <= max && (isAboveMin === true ? value > min : value >= min);
}

function rangeText({ min, max, isAboveMin }: Range): string {
  if (isAboveMin === true) return `above ${min}${max === undefined ? '' : ` and at most ${max}`}`;
  return max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
}

export function whole(range: Range, facts: Facts): Field<number> {
  return simple(`a whole number ${rangeText(range)}`, facts, (value) =>
    Number.isSafeInteger(value) && isWithin(value, range) ? value : undefined,
  );
}

export function decimal(range: Range, facts: Facts): Field<number> {
  return simple(`a number ${rangeText(range)}`, facts, (value) => (isWithin(value, range) ? value : undefined));
}

export function flag(facts: Facts): Field<boolean> {
  return simple('true or false', facts, (value) => (typeof value === 'boolean' ? value : undefined));
}

export function oneOf<const Name extends string>(names: readonly Name[], facts: Facts): Field<Name> {
  return simple(`one of ${names.join(', ')}`, facts, (value) => names.find((name) => name === value));
}

/** Text of bounded length that fits the pattern. */
export function text(accepts: string, pattern: RegExp, maxLength: number, facts: Facts): Field<string> {
  return simple(accepts, facts, (value) =>
    typeof value === 'string' && value.length <= maxLength && pattern.test(value) ? value : undefined,
  );
}

/** A field with a reader of its own. */
export function custom<T>(accepts: string, facts: Facts, read: Field<T>['read']): Field<T> {
  return { accepts, default: '', inner: undefined, ...facts, read };
}

/** Anything: for what is accepted and kept by nobody. */
export function anything(accepts: string, facts: Facts): Field<true> {
  return simple(accepts, facts, () => true as const);
}

/** A field that the original knows and this gateway has no use for: `why` says what to do instead. */
export function refused(why: string): Field<never> {
  return custom<never>('', { doc: why }, (_value, path, { problems }) => {
    problems.push({ path, text: why });
    return undefined;
  });
}

/** An object with the fields of a table. */
export function group<const Table extends FieldTable>(inner: Table, facts: Facts): Field<FieldValues<Table>> {
  return {
    accepts: 'an object',
    default: '',
    ...facts,
    inner,
    read: (value, path, reader) => readFields(inner, value, path, reader),
  };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function joinPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** Reads the fields of an object; `null` counts as not given. Undefined when it is no object. */
export function readFields<const Table extends FieldTable>(
  table: Table,
  value: unknown,
  path: string,
  reader: FieldReader,
): FieldValues<Table> | undefined {
  if (!isObject(value)) {
    reader.problems.push({ path, text: 'must be an object' });
    return undefined;
  }
  const values: Record<string, unknown> = Object.fromEntries(Object.keys(table).map((name) => [name, undefined]));
  for (const [name, given] of Object.entries(value)) {
    const field = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!field) reader.problems.push({ path: joinPath(path, name), text: 'is no known field' });
    else if (given !== null) values[name] = field.read(given, joinPath(path, name), reader);
  }
  // Safe: each name of the table holds what its own field has read.
  return values as FieldValues<Table>;
}

const MAX_SHOWN_PROBLEMS = 20;
const MAX_SHOWN_PATH = 80;

/** All problems in one sentence, bounded. */
export function problemText(problems: readonly FieldProblem[]): string {
  const shown = problems.slice(0, MAX_SHOWN_PROBLEMS).map(({ path, text: what }) => {
    const name = path.length > MAX_SHOWN_PATH ? `${path.slice(0, MAX_SHOWN_PATH)}…` : path;
    return name === '' ? `the body ${what}` : `\`${name.replaceAll(/\p{Cc}/gu, '?')}\` ${what}`;
  });
  const more = problems.length - shown.length;
  return `${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}
