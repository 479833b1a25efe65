/**
 * Takes every option of a table from the first source that has it: flag, environment, file, default. Owns precedence
 * and the wording of where a value came from; what the options are is the table's matter. Pure.
 */
import type { ConfigFile } from './file.ts';
import { fileKeyOf, flagOf, variableOf } from './names.ts';
import type { Option, OptionTable, ValuesOf } from './option.ts';

/** Where values come from. Flags are keyed as in the table; texts and native values are both read. */
export interface Sources {
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly file?: ConfigFile | undefined;
}

export interface Resolved<Table extends OptionTable> {
  /** Options with a problem have their default here. */
  readonly values: ValuesOf<Table>;
  /** For each option, where its value came from, in words that begin a problem line. */
  readonly origins: Readonly<Record<string, string>>;
  /** Keys of the options whose value was refused. */
  readonly rejected: ReadonlySet<string>;
  readonly problems: readonly string[];
}

interface Found {
  readonly origin: string;
  readonly raw: unknown;
}

/** Docker and Kubernetes describe a service called "smg" in variables like SMG_PORT=tcp://10.0.0.1:30000. */
export function isServiceLink(name: string, value: string): boolean {
  return /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)/.test(name) || /^(tcp|udp|sctp):\/\//.test(value);
}

/** An empty one counts as unset, but not where a key is expected: one that got lost must not open the door. */
function isSet(name: string, value: string | undefined, option: Option<unknown>): boolean {
  return value !== undefined && (value !== '' || option.secret) && !isServiceLink(name, value);
}

function fromEnvironment(key: string, option: Option<unknown>, env: Sources['env']): Found | undefined {
  const name = [variableOf(key), ...option.variables].find((each) => isSet(each, env?.[each], option));
  const value = name === undefined ? undefined : env?.[name];
  if (value === undefined || option.flagOnly || option.fileOnly) return undefined;
  return { origin: `environment variable ${name}`, raw: option.shape === 'list' ? itemsOf(value, option) : value };
}

function itemsOf(value: string, option: Option<unknown>): string[] {
  const items = value.split(option.separator).filter((item) => item !== '');
  return items.length === 0 && option.secret ? [''] : items;
}

function find(key: string, option: Option<unknown>, sources: Sources): Found | undefined {
  const flag = sources.flags?.[key];
  if (flag !== undefined) return { origin: `flag ${flagOf(key)}`, raw: flag };
  const variable = fromEnvironment(key, option, sources.env);
  if (variable !== undefined) return variable;
  const fileKey = fileKeyOf(key);
  const entry = option.flagOnly ? undefined : sources.file?.entries[fileKey];
  if (entry === undefined || (entry === null && !option.secret)) return undefined;
  return { origin: `file ${sources.file?.path}, key ${fileKey}`, raw: entry };
}

/** Reads the whole table; every problem is one line. An option whose key is in `left` has its default. */
export function resolveOptions<Table extends OptionTable>(
  table: Table,
  sources: Sources,
  left: readonly string[] = [],
): Resolved<Table> {
  const values: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  const rejected = new Set<string>();
  const problems: string[] = [];
  for (const [key, option] of Object.entries(table)) {
    const found = left.includes(key) ? undefined : find(key, option, sources);
    origins[key] = found?.origin ?? `default of ${flagOf(key)}`;
    values[key] = option.default;
    if (found === undefined) continue;
    const reading = option.read(found.raw);
    if (reading.ok) {
      values[key] = reading.value;
    } else {
      rejected.add(key);
      problems.push(...reading.complaints.map((complaint) => `${found.origin}: ${complaint}`));
    }
  }
  // Safe: each key holds its option's default or what its option read.
  return { values: Object.freeze(values) as ValuesOf<Table>, origins, rejected, problems };
}
