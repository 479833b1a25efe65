/**
 * The body of a call as a provider takes it: fields that it refuses are taken out, and those that it has under another
 * name are renamed, in place. Every other byte stays as it was.
 * Cost  nothing for a provider without quirks; one walk over the members, and one copy when something changes
 * Errors  none: a body that is not as its API says goes on as it is, for the provider to refuse
 */
import type { ProtocolName, Span } from '../domain/call.ts';
import type { FieldQuirk, Provider } from '../domain/providers/provider.ts';
import { decodeString, JsonScanError, skipSpace, skipString, skipValue } from './json-scan.ts';

export interface ProviderBody {
  /** The very buffer that was given when nothing had to change. */
  readonly body: Buffer;
  /** Names of the fields that were taken out and had a value, each once; `messages[].name` for one in a list. */
  readonly removed: readonly string[];
  /** `old>new` for each field that was renamed. */
  readonly renamed: readonly string[];
}

/** `model` is what the provider calls it. */
export function bodyForProvider(
  body: Buffer,
  protocol: ProtocolName,
  { provider, model }: { readonly provider: Provider | undefined; readonly model: string },
): ProviderBody {
  const quirks = quirksOf(provider, protocol, model);
  if (quirks.size === 0) return { body, removed: NONE, renamed: NONE };
  const edits = new Edits(body, quirks);
  try {
    edits.collect();
  } catch (thrown) {
    if (!(thrown instanceof JsonScanError)) throw thrown;
    return { body, removed: NONE, renamed: NONE };
  }
  return { body: edits.applied(), removed: [...edits.removed], renamed: [...edits.renamed] };
}

const NONE: readonly string[] = [];

type Quirks = ReadonlyMap<string, FieldQuirk>;

const NO_QUIRKS: Quirks = new Map();

/** The quirks of one API of a provider. */
interface QuirkTable {
  readonly always: Quirks;
  /** Those that count for some models only. */
  readonly sometimes: readonly FieldQuirk[];
}

/** Made once for each provider. */
const tables = new WeakMap<Provider, Map<ProtocolName, QuirkTable>>();

function quirksOf(provider: Provider | undefined, protocol: ProtocolName, model: string): Quirks {
  if (!provider || provider.quirks.length === 0) return NO_QUIRKS;
  const { always, sometimes } = tableOf(provider, protocol);
  const now = sometimes.filter(({ models }) => models?.test(model) === true);
  return now.length === 0 ? always : byName([...always.values(), ...now]);
}

function tableOf(provider: Provider, protocol: ProtocolName): QuirkTable {
  const ofProvider = tables.get(provider) ?? new Map<ProtocolName, QuirkTable>();
  tables.set(provider, ofProvider);
  const known = ofProvider.get(protocol);
  if (known) return known;
  const all = provider.quirks.filter((quirk) => quirk.protocol === protocol);
  const [always, sometimes] = [all.filter(({ models }) => !models), all.filter(({ models }) => models)];
  const table = { always: byName(always), sometimes };
  ofProvider.set(protocol, table);
  return table;
}

function byName(quirks: readonly FieldQuirk[]): Quirks {
  return new Map(quirks.map((quirk) => [quirk.name, quirk]));
}

interface Edit extends Span {
  readonly text: string;
}

/** A member of an object: from its name to the end of its value. */
interface Member {
  readonly name: string;
  readonly key: Span;
  readonly value: Span;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

class Edits {
  readonly removed = new Set<string>();
  readonly renamed = new Set<string>();
  readonly #body: Buffer;
  readonly #quirks: Quirks;
  readonly #edits: Edit[] = [];

  constructor(body: Buffer, quirks: Quirks) {
    this.#body = body;
    this.#quirks = quirks;
  }

  collect(): void {
    const hasMark = this.#body[0] === 0xef && this.#body[1] === 0xbb && this.#body[2] === 0xbf;
    this.#object(skipSpace(this.#body, hasMark ? 3 : 0), '');
  }

  applied(): Buffer {
    if (this.#edits.length === 0) return this.#body;
    const parts: Buffer[] = [];
    let from = 0;
    for (const { start, end, text } of this.#edits.toSorted((a, b) => a.start - b.start)) {
      parts.push(this.#body.subarray(from, start), Buffer.from(text));
      from = end;
    }
    parts.push(this.#body.subarray(from));
    return Buffer.concat(parts);
  }

  /** `prefix` stands before the names of its members in quirks. Returns the index behind the object. */
  #object(from: number, prefix: string): number {
    const { members, end } = this.#members(from);
    const names = new Set(members.map(({ name }) => name));
    const gone = members.map((member) => this.#judge(member, prefix, names));
    members.forEach((member, at) => {
      if (gone[at] === true) this.#cut(members, gone, at);
      else if (prefix === '') this.#inside(member);
    });
    return end;
  }

  /** Notes what becomes of a member; true when it has to go. */
  #judge({ name, key, value }: Member, prefix: string, names: ReadonlySet<string>): boolean {
    const quirk = this.#quirks.get(prefix + name);
    if (!quirk) return false;
    if (quirk.act !== 'remove' && !names.has(quirk.act.rename)) {
      this.#edits.push({ ...key, text: JSON.stringify(quirk.act.rename) });
      this.renamed.add(`${name}>${quirk.act.rename}`);
      return false;
    }
    // Nobody misses what was null.
    if (this.#body.toString('latin1', value.start, value.end) !== 'null') this.removed.add(prefix + name);
    return true;
  }

  /** Cuts a member with the comma behind it; when nothing stays behind it, but something before, with the one before. */
  #cut(members: readonly Member[], gone: readonly boolean[], at: number): void {
    const [before, member, next] = [members[at - 1], members[at], members[at + 1]];
    if (!member) return;
    const isTail = gone.includes(false) && !gone.includes(false, at);
    const start = isTail && before ? before.value.end : member.key.start;
    const end = isTail || !next ? member.value.end : next.key.start;
    this.#edits.push({ start, end, text: '' });
  }

  /** Objects in a top-level list, when a quirk speaks of such. */
  #inside({ name, value }: Member): void {
    const prefix = `${name}[].`;
    if (this.#body[value.start] !== OPEN_BRACKET || !this.#speaksOf(prefix)) return;
    let at = skipSpace(this.#body, value.start + 1);
    while (this.#body[at] !== CLOSE_BRACKET) {
      const end = this.#body[at] === OPEN_BRACE ? this.#object(at, prefix) : skipValue(this.#body, at);
      at = skipSpace(this.#body, end);
      if (this.#body[at] === COMMA) at = skipSpace(this.#body, at + 1);
      else if (this.#body[at] !== CLOSE_BRACKET) throw new JsonScanError('a comma is missing', at);
    }
  }

  #speaksOf(prefix: string): boolean {
    for (const name of this.#quirks.keys()) if (name.startsWith(prefix)) return true;
    return false;
  }

  #members(from: number): { readonly members: Member[]; readonly end: number } {
    const body = this.#body;
    if (body[from] !== OPEN_BRACE) throw new JsonScanError('an object is missing', from);
    const members: Member[] = [];
    let at = skipSpace(body, from + 1);
    if (body[at] === CLOSE_BRACE) return { members, end: at + 1 };
    for (;;) {
      if (body[at] !== QUOTE) throw new JsonScanError('a member name is missing', at);
      const key = { start: at, end: skipString(body, at) };
      at = skipSpace(body, key.end);
      if (body[at] !== COLON) throw new JsonScanError('a colon is missing', at);
      const start = skipSpace(body, at + 1);
      const value = { start, end: skipValue(body, start) };
      members.push({ name: nameOf(body, key), key, value });
      at = skipSpace(body, value.end);
      if (body[at] === CLOSE_BRACE) return { members, end: at + 1 };
      if (body[at] !== COMMA) throw new JsonScanError('a comma is missing', at);
      at = skipSpace(body, at + 1);
    }
  }
}

function nameOf(body: Buffer, key: Span): string {
  const isPlain = body.subarray(key.start, key.end).indexOf(BACKSLASH) < 0;
  return isPlain ? body.toString('utf8', key.start + 1, key.end - 1) : decodeString(body, key);
}
