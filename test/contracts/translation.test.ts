/**
 * Every hard case in every direction: what goes to a worker and what a client gets, byte for byte, and the laws that
 * hold for all of them. `SMG_WRITE_FIXTURES=1` writes what is expected anew, for a person to read before it is kept.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { GatewayError } from '../../src/domain/errors.ts';
import type { GenerationEvent } from '../../src/domain/generation-event.ts';
import { cutsOf } from '../support/cuts.ts';
import type { Api, Target, TranslationCase } from '../support/translation-case.ts';
import {
  answerFacts,
  APIS,
  decodeChunks,
  decodeFacts,
  decodeRequest,
  encodeEvents,
  factsOfApi,
  fileOf,
  gistOf,
  requestFor,
  requestTarget,
  TARGETS,
  translationCases,
} from '../support/translation-case.ts';

const isWriting = process.env['SMG_WRITE_FIXTURES'] === '1';

/** Compares with the file of the case, or writes it. */
function expectFile(each: TranslationCase, name: string, actual: string): void {
  const url = new URL(`expected/${name}`, each.folder);
  if (isWriting) {
    mkdirSync(new URL('expected/', each.folder), { recursive: true });
    writeFileSync(url, actual);
    return;
  }
  assert.equal(actual, readFileSync(url, 'utf8'), `${each.name}: ${name}`);
}

const cases = translationCases();

for (const each of cases) {
  for (const from of APIS) {
    const body = fileOf(each, `request.${from}.json`);
    if (body) for (const to of TARGETS) requestTest(each, { from, to, body });
    for (const form of ['json', 'sse'] as const) {
      const answer = fileOf(each, `answer.${from}.${form}`);
      if (!answer) continue;
      if (form === 'sse') splitTest(each, from, answer);
      for (const to of APIS) answerTest(each, { from, to, form, answer });
    }
  }
}

interface RequestDirection {
  readonly from: Api;
  readonly to: Target;
  readonly body: Buffer;
}

function requestTest(each: TranslationCase, { from, to, body }: RequestDirection): void {
  test(`${each.name}: a request of ${from} for a worker of ${to}`, () => {
    expectFile(each, `request.${from}-${to}.json`, `${JSON.stringify(translated({ from, to, body }), null, 2)}\n`);
  });
}

/** The body and what is told about it; or why the client is refused. */
function translated({ from, to, body }: RequestDirection): Readonly<Record<string, unknown>> {
  try {
    const { request, warnings } = decodeRequest(from, body, false);
    const { codec, target } = requestTarget(to);
    const encoded = codec.encodeRequest(request, target);
    const all = [...warnings, ...encoded.warnings].map(({ kind, field, reason }) => `${kind}: ${field} ${reason}`);
    return { upstream: encoded.body.toString(), warnings: all };
  } catch (thrown) {
    if (!(thrown instanceof GatewayError) || thrown.origin !== 'client') throw thrown;
    return { refused: thrown.message, param: thrown.param };
  }
}

interface AnswerDirection {
  readonly from: Api;
  readonly to: Api;
  readonly form: 'json' | 'sse';
  readonly answer: Buffer;
}

function eventsOf(from: Api, form: 'json' | 'sse', answer: Buffer): GenerationEvent[] {
  return form === 'sse' ? decodeChunks(from, [answer]) : factsOfApi(from).codec.decodeAnswer(answer, decodeFacts());
}

function answerTest(each: TranslationCase, { from, to, form, answer }: AnswerDirection): void {
  test(`${each.name}: an answer of ${from} for a client of ${to}, ${form === 'sse' ? 'streamed' : 'whole'}`, () => {
    const events = eventsOf(from, form, answer);
    const request = requestFor(each, to, form === 'sse');
    if (form === 'sse') {
      const { bytes, warnings } = encodeEvents(to, events, request);
      const told = warnings.map(({ kind, field, reason }) => `: ${kind}: ${field} ${reason}\n`).join('');
      expectFile(each, `answer.${from}-${to}.sse`, told + bytes.toString());
      keepsTheGist(events, decodeChunks(to, [bytes]), {
        isWarned: warnings.length > 0,
        wantsUsage: request.wantsUsage,
      });
    } else {
      const { codec } = factsOfApi(to);
      const { body, warnings } = codec.encodeAnswer(events, answerFacts(request));
      const client: unknown = JSON.parse(body.toString());
      const told = warnings.map(({ kind, field, reason }) => `${kind}: ${field} ${reason}`);
      expectFile(each, `answer.${from}-${to}.json`, `${JSON.stringify({ client, warnings: told }, null, 2)}\n`);
      keepsTheGist(events, codec.decodeAnswer(body, decodeFacts()), {
        isWarned: warnings.length > 0,
        wantsUsage: true,
      });
    }
  });
}

/** What the client reads is what the worker said; a difference needs a warning. */
interface Telling {
  /** The client is told of a loss. */
  readonly isWarned: boolean;
  readonly wantsUsage: boolean;
}

function keepsTheGist(said: readonly GenerationEvent[], read: readonly GenerationEvent[], telling: Telling): void {
  const before = gistOf(said);
  const after = gistOf(read);
  assert.deepEqual(after.calls, before.calls, 'the calls');
  assert.deepEqual(
    { hasError: after.hasError, isComplete: after.isComplete && !after.hasError },
    { hasError: before.hasError, isComplete: before.isComplete && !before.hasError },
    'whether it is complete',
  );
  if (before.hasError || telling.isWarned) return;
  // Some APIs have a field for a refusal, others only text.
  assert.equal(after.text + after.refusal, before.text + before.refusal, 'the text');
  assert.equal(after.reasoning, before.reasoning, 'the thoughts');
  // A stream that broke cannot tell them any more.
  if (before.inputTokens > 0 && telling.wantsUsage && before.isComplete)
    assert.deepEqual([after.inputTokens, after.outputTokens], [before.inputTokens, before.outputTokens], 'the counts');
}

/** Equal events make equal bytes: what holds for the decoder holds for every encoder behind it. */
function splitTest(each: TranslationCase, from: Api, answer: Buffer): void {
  test(`${each.name}: the stream of ${from} reads the same however it is cut`, () => {
    const whole = JSON.stringify(decodeChunks(from, [answer]));
    for (const { name, chunks } of cutsOf(answer, 7))
      assert.equal(JSON.stringify(decodeChunks(from, chunks)), whole, name);
  });
}
