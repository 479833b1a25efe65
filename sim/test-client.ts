/**
 * A small client for the simulator's own tests: JSON, event streams, and raw sockets that see how they end.
 * Every wait ends with the connection; nothing here sleeps.
 */

import { connect, type Socket } from 'node:net';
import { listOf, recordOf } from './json.ts';

/** Anything with a base URL. */
export interface Target {
  readonly url: string;
}

/** One server-sent event. */
export interface SseEvent {
  readonly event: string | undefined;
  readonly data: string;
}

/** A connection's bytes and the way it ended. */
export interface RawAnswer {
  /** Everything received, decoded as UTF-8. */
  readonly text: string;
  readonly ending: 'fin' | 'reset';
}

/** POSTs a JSON body. */
export function post(target: Target, path: string, body: unknown, headers: Record<string, string> = {}) {
  return fetch(target.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

/** POSTs a JSON body and reads the JSON answer. */
export async function postJson(target: Target, path: string, body: unknown): Promise<unknown> {
  return (await post(target, path, body)).json();
}

/** GETs JSON. */
export async function getJson(target: Target, path: string): Promise<unknown> {
  return (await fetch(target.url + path)).json();
}

/** The value at a dotted path: `pick(answer, 'choices.0.message.content')`. */
export function pick(value: unknown, path: string): unknown {
  let found = value;
  for (const key of path.split('.')) found = Array.isArray(found) ? listOf(found)[Number(key)] : recordOf(found)[key];
  return found;
}

/** POSTs a JSON body and reads the whole event stream. */
export async function postEvents(target: Target, path: string, body: unknown): Promise<readonly SseEvent[]> {
  const response = await post(target, path, body);
  return parseEvents(await response.text());
}

/** Reads complete events out of SSE text. */
export function parseEvents(text: string): readonly SseEvent[] {
  const blocks = text.split('\n\n').filter((block) => block.includes('data:'));
  return blocks.map((block) => {
    const lines = block.split('\n');
    const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    return { event: field('event'), data: field('data') ?? '' };
  });
}

/** The parsed data of every event that is JSON. */
export function jsonEvents(events: readonly SseEvent[]): readonly unknown[] {
  return events.filter(({ data }) => data !== '[DONE]').map(({ data }) => JSON.parse(data) as unknown);
}

/** A raw connection that sent one POST request. */
export class RawConnection {
  readonly socket: Socket;
  /** Resolves when the connection has ended. */
  readonly ended: Promise<RawAnswer>;
  #text = '';
  #onData: () => void = () => undefined;

  constructor(port: number, path: string, body: unknown, headers: readonly string[] = []) {
    const json = JSON.stringify(body);
    const length = `content-length: ${Buffer.byteLength(json)}`;
    const head = [`POST ${path} HTTP/1.1`, 'host: sim', 'content-type: application/json', length, ...headers];
    this.socket = connect(port, '127.0.0.1', () => this.socket.write(`${head.join('\r\n')}\r\n\r\n${json}`));
    this.socket.setEncoding('utf8');
    this.socket.on('data', (text) => {
      this.#text += String(text);
      this.#onData();
    });
    this.ended = new Promise((resolve) => {
      let ending: RawAnswer['ending'] = 'fin';
      this.socket.on('error', () => {
        ending = 'reset';
      });
      this.socket.once('close', () => resolve({ text: this.#text, ending }));
    });
  }

  /** Resolves with the text received as soon as it holds what is wanted; rejects when the connection ends first. */
  async received(isEnough: (text: string) => boolean): Promise<string> {
    if (isEnough(this.#text)) return this.#text;
    return new Promise((resolve, reject) => {
      this.#onData = () => (isEnough(this.#text) ? resolve(this.#text) : undefined);
      void this.ended.then((answer) => reject(new Error(`the connection ended early: ${JSON.stringify(answer)}`)));
    });
  }
}

/** A chat request body, streaming, to the default model. */
export function chatBody(content: string, rest: Record<string, unknown> = {}) {
  return { model: 'sim-model', messages: [{ role: 'user', content }], ...rest };
}
