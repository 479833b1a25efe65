/**
 * Every body that translation makes of the hard cases is taken by the provider that it is for: a simulated one, as
 * strict as the real ones are, and which knows nothing of the gateway's encoders.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { SimProvider } from '../../sim/providers/provider.ts';
import { startProvider } from '../../sim/providers/provider.ts';
import type { Api } from '../support/translation-case.ts';
import { APIS, fileOf, translationCases } from '../support/translation-case.ts';

const KINDS = { chat: 'openai', messages: 'anthropic', responses: 'openai', gemini: 'gemini' } as const;
const MODELS = ['gpt-5-mini', 'claude-sonnet-4-5', 'gemini-2.5-flash'];

const PATHS: Readonly<Record<Api, string>> = {
  chat: '/v1/chat/completions',
  messages: '/v1/messages',
  responses: '/v1/responses',
  gemini: '/v1beta/models/gemini-2.5-flash:generateContent',
};

const HEADERS: Readonly<Record<Api, Readonly<Record<string, string>>>> = {
  chat: { authorization: 'Bearer key' },
  messages: { 'x-api-key': 'key', 'anthropic-version': '2023-06-01' },
  responses: { authorization: 'Bearer key' },
  gemini: { 'x-goog-api-key': 'key' },
};

/** Signatures in these cases were issued by nobody: only the provider that issued one takes it back. */
const SIGNED: ReadonlySet<string> = new Set([
  'thinking-replay-messages',
  'thought-signature-gemini',
  'encrypted-content-responses',
]);

const providers = new Map<string, SimProvider>();
before(async () => {
  for (const kind of new Set(Object.values(KINDS))) providers.set(kind, await startProvider({ kind, models: MODELS }));
});
after(() => Promise.all([...providers.values()].map((provider) => provider.close())));

for (const each of translationCases()) {
  for (const from of APIS) {
    for (const to of APIS) {
      const file = fileOf(each, `expected/request.${from}-${to}.json`);
      if (!file || SIGNED.has(`${each.name}-${to}`)) continue;
      const { upstream } = JSON.parse(file.toString()) as { readonly upstream?: string };
      // An unknown block of the worker's own API is carried as it is: what it says to that is its answer.
      if (upstream === undefined || (each.name === 'unknown-events' && from === to)) continue;
      test(`${each.name}: what becomes of a request of ${from} is taken by ${to}`, async () => {
        const headers = { ...HEADERS[to], 'content-type': 'application/json' };
        const url = `${providers.get(KINDS[to])?.url}${PATHS[to]}`;
        const reply = await fetch(url, { method: 'POST', headers, body: upstream });
        assert.equal(reply.status, 200, `${await reply.text()}\n${upstream}`);
      });
    }
  }
}
