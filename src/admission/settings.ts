/**
 * The file of `--priority-scheduler-config` as data: classes and tenants. Strict: an unknown key or a bad value is a
 * complaint with its path, and with one complaint there are no settings.
 */
import type { ClassName, ClassOptions } from './classes.ts';
import { CLASS_DEFAULTS, CLASS_NAMES } from './classes.ts';

export interface PrioritySettings {
  /** In the order of `CLASS_NAMES`. */
  readonly classes: readonly ClassOptions[];
  /** By the tenant's name; the empty name is that of callers without a tenant. */
  readonly maxClassOf: ReadonlyMap<string, ClassName>;
}

export const DEFAULT_SETTINGS: PrioritySettings = { classes: CLASS_DEFAULTS, maxClassOf: new Map() };

type Mapping = Readonly<Record<string, unknown>>;

interface Key {
  readonly field: keyof ClassOptions;
  readonly accepts: string;
  /** Undefined for what is not accepted. */
  readonly read: (raw: unknown) => number | boolean | undefined;
}

const MAX_SECONDS = 2_000_000;

function number(raw: unknown, min: number, max: number): number | undefined {
  return typeof raw === 'number' && raw >= min && raw <= max ? raw : undefined;
}

function whole(max: number): Pick<Key, 'accepts' | 'read'> {
  return {
    accepts: `a whole number from 0 to ${max}`,
    read: (raw) => (Number.isSafeInteger(raw) ? number(raw, 0, max) : undefined),
  };
}

const seconds: Pick<Key, 'accepts' | 'read'> = {
  accepts: `a number of seconds from 0.01 to ${MAX_SECONDS}`,
  read: (raw) => {
    const value = number(raw, 0.01, MAX_SECONDS);
    return value === undefined ? undefined : value * 1_000;
  },
};

const KEYS: Readonly<Record<string, Key>> = {
  reserved_floor: { field: 'reservedFloor', ...whole(65_535) },
  reserved_per_slot: {
    field: 'reservedPerSlot',
    accepts: 'a number from 0 to 1',
    read: (raw) => number(raw, 0, 1),
  },
  queue_size: { field: 'queueSize', ...whole(100_000) },
  queue_timeout_secs: { field: 'queueTimeoutMs', ...seconds },
  starvation_threshold_secs: { field: 'starvationMs', ...seconds },
  can_preempt: {
    field: 'mayPreempt',
    accepts: 'true or false',
    read: (raw) => (typeof raw === 'boolean' ? raw : undefined),
  },
};

export type SettingsReading =
  | { readonly ok: true; readonly settings: PrioritySettings }
  | { readonly ok: false; readonly complaints: readonly string[] };

/** `entries` is the parsed file. */
export function readSettings(entries: Mapping): SettingsReading {
  const complaints: string[] = [];
  unknownKeys(entries, ['classes', 'tenant_policies'], '', complaints);
  const classes = readClasses(entries['classes'], complaints);
  const maxClassOf = readTenants(entries['tenant_policies'], complaints);
  return complaints.length > 0 ? { ok: false, complaints } : { ok: true, settings: { classes, maxClassOf } };
}

function readClasses(raw: unknown, complaints: string[]): ClassOptions[] {
  const given = mappingOf(raw, 'classes', complaints);
  unknownKeys(given, CLASS_NAMES, 'classes.', complaints);
  return CLASS_DEFAULTS.map((usual) => {
    const path = `classes.${usual.name}`;
    const values = mappingOf(own(given, usual.name), path, complaints);
    unknownKeys(values, Object.keys(KEYS), `${path}.`, complaints);
    const changed: Record<string, unknown> = {};
    for (const [name, { field, accepts, read }] of Object.entries(KEYS)) {
      const value = own(values, name);
      if (value === undefined) continue;
      changed[field] = read(value);
      if (changed[field] === undefined) complaints.push(`${path}.${name}: ${show(value)} is not ${accepts}`);
    }
    return { ...usual, ...changed };
  });
}

function readTenants(raw: unknown, complaints: string[]): Map<string, ClassName> {
  const tenants = new Map<string, ClassName>();
  for (const [key, value] of Object.entries(mappingOf(raw, 'tenant_policies', complaints))) {
    const path = `tenant_policies.${show(key).slice(1, -1)}`;
    const tenant = tenantOf(key);
    if (tenant === undefined) complaints.push(`${path}: a key is auth:NAME, NAME or anonymous`);
    else if (tenants.has(tenant)) complaints.push(`${path}: this tenant is given more than once`);
    const policy = mappingOf(value, path, complaints);
    unknownKeys(policy, ['max_class'], `${path}.`, complaints);
    const max = CLASS_NAMES.find((name) => name === own(policy, 'max_class'));
    if (max) tenants.set(tenant ?? '', max);
    else
      complaints.push(`${path}.max_class: ${show(own(policy, 'max_class'))} is not one of ${CLASS_NAMES.join(', ')}`);
  }
  return tenants;
}

/** `auth:NAME` is the original's word for the tenant of a key. */
function tenantOf(key: string): string | undefined {
  if (key === 'anonymous') return '';
  const name = key.startsWith('auth:') ? key.slice(5) : key;
  return name === '' || name.includes(':') ? undefined : name;
}

function mappingOf(raw: unknown, path: string, complaints: string[]): Mapping {
  if (raw === undefined || raw === null) return {};
  if (typeof raw === 'object' && !Array.isArray(raw)) return raw as Mapping;
  complaints.push(`${path}: ${show(raw)} is not a mapping`);
  return {};
}

function unknownKeys(given: Mapping, known: readonly string[], prefix: string, complaints: string[]): void {
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    complaints.push(`${prefix}${show(key).slice(1, -1)}: there is no such key, only ${known.join(', ')}`);
  }
}

/** Not what an object inherits. */
function own(given: Mapping, key: string): unknown {
  return Object.hasOwn(given, key) ? given[key] : undefined;
}

/** Bounded, on one line. */
function show(raw: unknown): string {
  const text = JSON.stringify(raw) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}
