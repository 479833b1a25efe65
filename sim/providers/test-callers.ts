/** What the tests of the simulated providers share: a provider for one test, requests in its form, and what came back. */

import type { TestContext } from 'node:test';
import { type JsonRecord, recordOf } from '../json.ts';
import { parseEvents, type SseEvent } from '../test-client.ts';
import type { ProviderKind, ProviderSpec } from './options.ts';
import { type SimProvider, startProvider } from './provider.ts';

/** An answer, read. */
export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: JsonRecord;
  /** The server-sent events of the text. */
  readonly events: readonly SseEvent[];
}

/** The key that tests use where none is configured. */
export const KEY = 'test-key';

/** A PNG image of one pixel, base64: 70 bytes. */
export const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** The obligatory headers of a provider. */
export const HEADERS: Readonly<Record<ProviderKind, Readonly<Record<string, string>>>> = {
  openai: { authorization: `Bearer ${KEY}` },
  xai: { authorization: `Bearer ${KEY}` },
  compatible: { authorization: `Bearer ${KEY}` },
  anthropic: { 'x-api-key': KEY, 'anthropic-version': '2023-06-01' },
  gemini: { 'x-goog-api-key': KEY },
};

/** A provider that is closed when the test ends. */
export async function providerFor(context: TestContext, spec: ProviderSpec): Promise<SimProvider> {
  const provider = await startProvider(spec);
  context.after(() => provider.close());
  return provider;
}

/** POSTs a body with the provider's headers; `headers` replaces them, an undefined value removes one. */
export async function ask(
  provider: SimProvider,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = HEADERS[provider.kind],
): Promise<Got> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const sent = { 'content-type': 'application/json', ...headers };
  return read(await fetch(provider.url + path, { method: 'POST', headers: sent, body: text }));
}

/** GETs with the provider's headers. */
export async function get(provider: SimProvider, path: string, headers = HEADERS[provider.kind]): Promise<Got> {
  return read(await fetch(provider.url + path, { headers }));
}

async function read(response: Response): Promise<Got> {
  const text = await response.text();
  const isJson = /^\s*[{]/.test(text);
  const events = parseEvents(text.replaceAll('\r\n', '\n'));
  const json = isJson ? recordOf(JSON.parse(text)) : {};
  return { status: response.status, headers: response.headers, text, json, events };
}
