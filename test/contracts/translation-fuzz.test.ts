/**
 * Conversations made up at random, written in each client API and translated for every kind of target: nothing is
 * thrown but a client's error that names its field, nothing is lost in silence, and the provider takes the body.
 * Answers made up at random, in every provider's form, say the same to every client, whole and as a stream, however
 * that is cut.
 *
 * `SMG_FUZZ_RUNS` sets the number of conversations, `SMG_FUZZ_SEED` which they are.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomInteger, seededRandom } from '../../src/base/random.ts';
import type { GenerationEvent } from '../../src/domain/generation-event.ts';
import type { GenerationRequest } from '../../src/domain/generation.ts';
import { chunksAt } from '../support/cuts.ts';
import type { AnswerSource } from '../support/fuzz/answers.ts';
import { ANSWER_SOURCES, script } from '../support/fuzz/answers.ts';
import type { FuzzClient } from '../support/fuzz/clients.ts';
import { FUZZ_CLIENTS } from '../support/fuzz/clients.ts';
import { conversationPlan } from '../support/fuzz/plan.ts';
import { silentLosses } from '../support/fuzz/silent-losses.ts';
import type { FuzzTarget } from '../support/fuzz/targets.ts';
import { FUZZ_TARGETS } from '../support/fuzz/targets.ts';
import { translate } from '../support/fuzz/translate.ts';
import {
  answerFacts,
  APIS,
  decodeChunks,
  decodeFacts,
  decodeRequest,
  encodeEvents,
  factsOfApi,
  gistOf,
  PLAIN,
} from '../support/translation-case.ts';

const RUNS = Number(process.env['SMG_FUZZ_RUNS'] ?? 80);
const SEED = Number(process.env['SMG_FUZZ_SEED'] ?? 4);

function checkTranslation(client: FuzzClient, target: FuzzTarget, body: ReturnType<FuzzClient['write']>): void {
  const outcome = translate(client, body, target);
  if (outcome.kind === 'refused') {
    assert.equal(outcome.error.code, 'invalid_request');
    assert.ok(outcome.error.param, 'names the field at fault');
    return;
  }
  const { translated } = outcome;
  assert.deepEqual(silentLosses(translated), [], 'lost in silence');
  const reply = target.judge?.ask(target.path, translated.body);
  assert.ok(!reply || reply.status === 200, `${reply?.reason}\n${translated.body.toString()}`);
}

for (const client of FUZZ_CLIENTS) {
  for (const target of FUZZ_TARGETS) {
    test(`${client.name} for ${target.name}: nothing is lost in silence, and the body is taken`, () => {
      fc.assert(
        fc.property(conversationPlan, (plan) => checkTranslation(client, target, client.write(plan))),
        { numRuns: RUNS, seed: SEED },
      );
    });
  }
}

/** A loss that is told may be a difference; calls and the end of the answer are never one. */
function keepsTheGist(said: readonly GenerationEvent[], read: readonly GenerationEvent[], isWarned: boolean): void {
  const before = gistOf(said);
  const after = gistOf(read);
  assert.deepEqual(after.calls, before.calls, 'the calls');
  assert.deepEqual([after.isComplete, after.hasError], [before.isComplete, before.hasError], 'the end');
  if (isWarned) return;
  assert.equal(after.text + after.refusal, before.text + before.refusal, 'the text');
  assert.equal(after.reasoning, before.reasoning, 'the thoughts');
  assert.deepEqual([after.inputTokens, after.outputTokens], [before.inputTokens, before.outputTokens], 'the counts');
}

function wholeKeepsTheGist(
  said: readonly GenerationEvent[],
  request: (api: (typeof APIS)[number]) => GenerationRequest,
) {
  for (const api of APIS) {
    const { codec } = factsOfApi(api);
    const { body, warnings } = codec.encodeAnswer(said, answerFacts(request(api)));
    keepsTheGist(said, codec.decodeAnswer(body, decodeFacts()), warnings.length > 0);
  }
}

function requestOf(api: (typeof APIS)[number], isStream: boolean): GenerationRequest {
  return decodeRequest(api, Buffer.from(PLAIN[api]), isStream).request;
}

/** Any number of cuts, where the seed says. */
function cutAnywhere(bytes: Buffer, seed: number): Buffer[] {
  const random = seededRandom(seed);
  const points: number[] = [];
  for (let at = 0; at < bytes.length; at += 1 + randomInteger(random, 60)) points.push(at);
  return chunksAt(bytes, points);
}

function eventsOf({ codec }: AnswerSource, chunks: readonly Buffer[]): GenerationEvent[] {
  const events: GenerationEvent[] = [];
  const decoder = codec.createDecoder(decodeFacts());
  for (const chunk of chunks) decoder.push(chunk, (event) => events.push(event));
  decoder.end((event) => events.push(event));
  return events;
}

for (const source of ANSWER_SOURCES) {
  test(`an answer of ${source.name} says the same to every client`, () => {
    fc.assert(
      fc.property(script, (prompt) => {
        const reply = source.provider.ask(source.path, source.body(prompt));
        assert.equal(reply.status, 200, reply.reason);
        wholeKeepsTheGist(source.codec.decodeAnswer(reply.body, decodeFacts()), (api) => requestOf(api, false));
      }),
      { numRuns: RUNS, seed: SEED },
    );
  });

  test(`a stream of ${source.name} says the same to every client, however it is cut`, async () => {
    await fc.assert(
      fc.asyncProperty(script, fc.nat(), async (prompt, seed) => {
        const { status, reason, body } = await source.provider.askStream(source.path, source.body(prompt));
        assert.equal(status, 200, reason);
        const said = eventsOf(source, [body]);
        assert.deepEqual(eventsOf(source, cutAnywhere(body, seed)), said, 'cut');
        for (const api of APIS) {
          const { bytes, warnings } = encodeEvents(api, said, requestOf(api, true));
          const read = decodeChunks(api, cutAnywhere(bytes, seed + 1));
          keepsTheGist(said, read, warnings.length > 0);
        }
      }),
      { numRuns: RUNS, seed: SEED },
    );
  });
}
