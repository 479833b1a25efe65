/** For tests: an engine, a caller of it, and the way from text to tokens and back. */

import assert from 'node:assert/strict';
import { type GrpcEngineOptions, type SimGrpcEngine, startGrpcEngine } from './engine.ts';
import { generateRequest, type OpenCall, TestCaller, type Told, told, type Wish } from './test-caller.ts';

/** A user's turn as the shipped template renders it. */
export function chat(text: string): string {
  return `<|im_start|>user\n${text}<|im_end|>\n<|im_start|>assistant\n`;
}

/** What a request wishes beside its prompt. */
export type Wishes = Omit<Wish, 'ids'>;

/** An engine and its caller; `await using` closes both. */
export class Rig implements AsyncDisposable {
  readonly engine: SimGrpcEngine;
  readonly caller: TestCaller;

  private constructor(engine: SimGrpcEngine) {
    this.engine = engine;
    this.caller = new TestCaller(engine);
  }

  static async start(options: Partial<GrpcEngineOptions> = {}): Promise<Rig> {
    return new Rig(await startGrpcEngine({ speed: Infinity, models: ['m'], ...options }));
  }

  ids(text: string): Promise<readonly number[]> {
    return this.engine.tokenizer.encode(text);
  }

  text(ids: readonly number[] | undefined): Promise<string> {
    return this.engine.tokenizer.decode(ids ?? []);
  }

  /** A Generate that has to end well: the user's text, or with `prompt` the whole of it. */
  async generate(text: string, wish: Wishes = {}): Promise<readonly Told[]> {
    const { messages, code, details } = await (await this.open(text, wish)).ended;
    assert.equal(code, 0, details);
    return messages.map(told);
  }

  async open(text: string, wish: Wishes = {}): Promise<OpenCall> {
    const ids = await this.ids(text.includes('<|im_start|>') ? text : chat(text));
    const options = wish.deadlineMs === undefined ? {} : { deadline: Date.now() + wish.deadlineMs };
    return this.caller.open('Generate', generateRequest(this.engine.kind, { ids, ...wish }), {}, options);
  }

  /** The text of a whole answer, without the token that ended it. */
  async answer(text: string, wish: Wishes = {}): Promise<string> {
    const [complete] = await this.generate(text, wish);
    return (await this.text(complete?.ids)).replace(/<\|im_end\|>$/, '');
  }

  async close(): Promise<void> {
    this.caller.close();
    await this.engine.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
