/**
 * Every body that translation makes of the hard cases is taken by the provider that it is for: a simulated one, as
 * strict as the real ones are, and which knows nothing of the gateway's encoders.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ProviderSpec, SimProvider } from '../../sim/providers/provider.ts';
import { startProvider } from '../../sim/providers/provider.ts';
import type { Api, Target } from '../support/translation-case.ts';
import { APIS, fileOf, translationCases } from '../support/translation-case.ts';

const MODELS = [
  'gpt-5-mini',
  'claude-sonnet-4-5',
  'gemini-2.5-flash',
  'grok-4.3',
  'mistral-large-latest',
  'deepseek-chat',
];

/** Who takes what is for a target, at which path. Own engines take anything. */
const TAKERS: Readonly<Record<Exclude<Target, 'engine'>, { readonly spec: ProviderSpec; readonly path: string }>> = {
  chat: { spec: { kind: 'openai' }, path: '/v1/chat/completions' },
  messages: { spec: { kind: 'anthropic' }, path: '/v1/messages' },
  responses: { spec: { kind: 'openai' }, path: '/v1/responses' },
  gemini: { spec: { kind: 'gemini' }, path: '/v1beta/models/gemini-2.5-flash:generateContent' },
  xai: { spec: { kind: 'xai' }, path: '/v1/responses' },
  mistral: { spec: { kind: 'compatible', preset: 'mistral' }, path: '/v1/chat/completions' },
  deepseek: { spec: { kind: 'compatible', preset: 'deepseek' }, path: '/v1/chat/completions' },
};
type Taken = keyof typeof TAKERS;

function headersFor(to: Taken): Record<string, string> {
  if (to === 'messages') return { 'x-api-key': 'key', 'anthropic-version': '2023-06-01' };
  return to === 'gemini' ? { 'x-goog-api-key': 'key' } : { authorization: 'Bearer key' };
}

/** The API that each speaks. */
const API_OF: Readonly<Record<Taken, Api>> = {
  chat: 'chat',
  messages: 'messages',
  responses: 'responses',
  gemini: 'gemini',
  xai: 'responses',
  mistral: 'chat',
  deepseek: 'chat',
};

/** Signatures in these cases were issued by nobody: only the provider that issued one takes it back. */
const SIGNED: ReadonlySet<string> = new Set([
  'thinking-replay-messages',
  'thought-signature-gemini',
  'encrypted-content-responses',
]);

const providers = new Map<string, SimProvider>();
before(async () => {
  for (const [name, { spec }] of Object.entries(TAKERS))
    providers.set(name, await startProvider({ ...spec, models: MODELS }));
});
after(() => Promise.all([...providers.values()].map((provider) => provider.close())));

for (const each of translationCases()) {
  for (const from of APIS) {
    for (const to of Object.keys(TAKERS) as Taken[]) {
      const file = fileOf(each, `expected/request.${from}-${to}.json`);
      if (!file || SIGNED.has(`${each.name}-${to}`)) continue;
      const { upstream } = JSON.parse(file.toString()) as { readonly upstream?: string };
      // An unknown block of the worker's own API is carried as it is: what it says to that is its answer.
      if (upstream === undefined || (each.name === 'unknown-events' && API_OF[to] === from)) continue;
      test(`${each.name}: what becomes of a request of ${from} is taken by ${to}`, async () => {
        const headers = { ...headersFor(to), 'content-type': 'application/json' };
        const url = `${providers.get(to)?.url}${TAKERS[to].path}`;
        const reply = await fetch(url, { method: 'POST', headers, body: upstream });
        assert.equal(reply.status, 200, `${await reply.text()}\n${upstream}`);
      });
    }
  }
}
