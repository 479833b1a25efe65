/**
 * Words, numbers, bytes and proofs of which each is made once: what is found of it behind a translation can only come
 * from the place where it was put. Signatures are such that the simulated provider of their origin takes them.
 */
import type { ThoughtOrigin } from '../../../src/domain/generation.ts';
import { Sealer } from '../../../sim/providers/seal.ts';
import type { TextShape } from './plan.ts';

export type Json = { readonly [name: string]: unknown };

const PNG = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

export interface Thought {
  readonly text: string;
  /** As the hub has it, byte for byte. */
  readonly proof: string;
  /** Of the item in Responses. */
  readonly itemId: string | undefined;
}

export class Marks {
  #count = 0;
  readonly #sealers = new Map<ThoughtOrigin, Sealer>();

  word(): string {
    this.#count += 1;
    return `q${this.#count}z`;
  }

  text(shape: TextShape): string {
    switch (shape) {
      case 'word':
        return this.word();
      case 'unicode':
        return `né ${this.word()} 日本🙂\u2028"\\`;
      case 'lines':
        return `${this.word()}\r\n\n\t- ${this.word()}\n`;
      case 'json':
        return `{"json": "${this.word()}"}`;
      case 'trailing':
        return `  ${this.word()}  `;
      case 'blank':
        return ' \n ';
      case 'empty':
        return '';
    }
  }

  /** Below 1, its decimals are its own. */
  fraction(): number {
    this.#count += 1;
    return Number((0.96 + this.#count / 1_000_000).toFixed(6));
  }

  whole(from: number): number {
    this.#count += 1;
    return from + this.#count;
  }

  image(): string {
    return Buffer.concat([PNG, Buffer.from(this.word())]).toString('base64');
  }

  pdf(): string {
    return Buffer.from(`%PDF-1.4 ${this.word()}`).toString('base64');
  }

  url(scheme: string, ending: string): string {
    return `${scheme}://files.test/${this.word()}.${ending}`;
  }

  callId(kind: 'plain' | 'foreign' | 'long' | 'odd'): string {
    const word = this.word();
    if (kind === 'plain') return `call_${word}`;
    if (kind === 'foreign') return `toolu_01${word}`;
    return kind === 'long' ? `call_${word}_${'x'.repeat(60)}` : `functions.look:${word}|é/`;
  }

  /** A thought that its origin has signed. Gemini signs the call that it led to, `name`. */
  thought(origin: ThoughtOrigin, name?: string): Thought {
    const text = `thought ${this.word()}`;
    if (origin === 'gemini' && name !== undefined) return { text, proof: this.callProof(name), itemId: undefined };
    if (origin === 'anthropic' || origin === 'gemini')
      return { text, proof: this.#sealer(origin).seal(text), itemId: undefined };
    const itemId = `rs_${this.word()}`;
    return { text, proof: `${itemId}:${this.#sealer(origin).seal(itemId)}`, itemId };
  }

  /** Gemini signs calls. */
  callProof(name: string): string {
    return this.#sealer('gemini').seal(`call ${name}`);
  }

  #sealer(origin: ThoughtOrigin): Sealer {
    const known = this.#sealers.get(origin) ?? new Sealer(origin);
    this.#sealers.set(origin, known);
    return known;
  }
}

/** Arguments of a call as an object; undefined: none. */
export function inputOf(input: 'none' | 'flat' | 'deep' | 'escapes', marks: Marks): Json | undefined {
  if (input === 'none') return undefined;
  if (input === 'flat') return { place: marks.word(), count: marks.whole(700_000) };
  if (input === 'escapes') return { text: marks.text('unicode'), 'odd key "': marks.text('lines') };
  return { list: [{ place: marks.word() }, [marks.whole(700_000), null]], none: {}, yes: true };
}

export function schemaOf(kind: 'none' | 'empty' | 'plain' | 'limits' | 'nested', marks: Marks): Json | undefined {
  if (kind === 'none') return undefined;
  if (kind === 'empty') return { type: 'object', properties: {} };
  const place = { type: 'string', description: marks.word() };
  if (kind === 'plain') return { type: 'object', properties: { place }, required: ['place'] };
  const count = { type: 'integer', minimum: marks.whole(10_000), maximum: marks.whole(800_000) };
  if (kind === 'limits') return { type: 'object', properties: { count, place }, additionalProperties: false };
  const inner = { type: 'object', properties: { place, kind: { type: 'string', enum: [marks.word(), marks.word()] } } };
  return { type: 'object', properties: { list: { type: 'array', items: inner } }, title: marks.word() };
}

/** A schema that strict modes take: closed, all of it required. */
export function strictSchema(marks: Marks): Json {
  const place = { type: 'string', description: marks.word() };
  return { type: 'object', properties: { place }, required: ['place'], additionalProperties: false };
}

export const TOOL_NAMES = ['look', 'get_weather', 'f-1'] as const;

export function toolName(index: number): string {
  return TOOL_NAMES[index] ?? 'look';
}
