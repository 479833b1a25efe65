/** Fields of a request that only some servers have: read by name, and told as lost when nobody has read them. */
import { GatewayError } from '../../domain/errors.ts';
import type { ExtraField, JsonText, TranslationWarning } from '../../domain/generation.ts';

export class ExtraFields {
  readonly #fields: readonly ExtraField[];
  readonly #read = new Set<string>();

  constructor(fields: readonly ExtraField[]) {
    this.#fields = fields;
  }

  raw(name: string): JsonText | undefined {
    if (this.#fields.length === 0) return undefined;
    this.#read.add(name);
    return this.#fields.find((field) => field.name === name)?.json;
  }

  /** Known, and of no consequence here. */
  ignore(...names: readonly string[]): void {
    if (this.#fields.length > 0) for (const name of names) this.#read.add(name);
  }

  number(name: string): number | undefined {
    const value = this.#value(name);
    if (value !== undefined && (typeof value !== 'number' || !Number.isFinite(value))) throw wrong(name, 'a number');
    return value;
  }

  whole(name: string): number | undefined {
    const value = this.number(name);
    if (value !== undefined && !Number.isSafeInteger(value)) throw wrong(name, 'a whole number');
    return value;
  }

  flag(name: string): boolean | undefined {
    const value = this.#value(name);
    if (value !== undefined && typeof value !== 'boolean') throw wrong(name, 'true or false');
    return value;
  }

  text(name: string): string | undefined {
    const value = this.#value(name);
    if (value !== undefined && typeof value !== 'string') throw wrong(name, 'a string');
    return value;
  }

  /** Ids of tokens; empty when it is absent. */
  ids(name: string): readonly number[] {
    const value = this.#value(name) ?? [];
    const isList = Array.isArray(value) && value.every((id) => Number.isInteger(id) && id >= 0 && id < 2 ** 32);
    if (!isList) throw wrong(name, 'a list of token ids');
    return value;
  }

  texts(name: string): readonly string[] | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every((each) => typeof each === 'string'))
      throw wrong(name, 'a list of strings');
    return value;
  }

  /** What nobody has asked for. */
  get unread(): readonly TranslationWarning[] {
    return this.#fields.flatMap(({ name }): TranslationWarning[] =>
      this.#read.has(name) ? [] : [{ kind: 'lost', field: name, reason: 'cannot be given to an engine behind gRPC' }],
    );
  }

  #value(name: string): unknown {
    const text = this.raw(name);
    return text === undefined ? undefined : JSON.parse(text);
  }
}

function wrong(name: string, what: string): GatewayError {
  return new GatewayError('invalid_request', `\`${name}\` must be ${what}.`, { param: name });
}
