/** Pictures and files that are named by URL, for workers that take bytes only. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY_REQUEST } from '../../../test/support/tiny-codec.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationRequest, Part } from '../../domain/generation.ts';
import type { FetchedMedia, MediaFetcher } from '../../domain/ports.ts';
import { namedMedia, withBytes } from './media-parts.ts';
import type { NamedMedia } from './media-parts.ts';
import { MediaWait } from './media-wait.ts';

const image = (url: string): Part => ({
  type: 'image',
  source: { kind: 'url', url, mediaType: undefined },
  detail: 'low',
  cache: undefined,
});
const audio = (url: string): Part => ({ type: 'audio', source: { kind: 'url', url, mediaType: undefined } });
const said: Part = { type: 'text', text: 't', cache: undefined, signature: undefined };

function requestOf(...parts: Part[]): GenerationRequest {
  return { ...EMPTY_REQUEST, turns: [{ role: 'user', parts, isPlain: false, name: undefined }] };
}

const result: Part = {
  type: 'tool_result',
  callId: 'c',
  name: undefined,
  parts: [
    { type: 'text', text: 't', cache: undefined, signature: undefined },
    { type: 'image', source: { kind: 'url', url: 'u2', mediaType: undefined }, detail: undefined, cache: undefined },
  ],
  isPlain: false,
  isError: false,
  responseText: undefined,
  cache: undefined,
};

test('what has to be fetched is found in turns and in results of tools, and the bytes take its place', () => {
  const inline: Part = {
    type: 'image',
    source: { kind: 'base64', base64: 'x', mediaType: 'image/png' },
    detail: undefined,
    cache: undefined,
  };
  const request = requestOf(said, image('u1'), audio('u1'), inline, result);
  const found = namedMedia(request, (_source, kind) => kind === 'image');
  assert.deepEqual(found, [
    { field: 'turns[0].parts[1]', url: 'u1', kind: 'image' },
    { field: 'turns[0].parts[4].parts[1]', url: 'u2', kind: 'image' },
  ]);
  const media = { base64: 'AA==', mediaType: 'image/png' };
  const [turn] = withBytes(
    request,
    new Map([
      ['image u1', media],
      ['image u2', media],
    ]),
  ).turns;
  const source = { kind: 'base64', ...media };
  assert.deepEqual(turn?.parts[1], { ...image('u1'), source });
  assert.deepEqual(turn?.parts[2], audio('u1'), 'the same URL as another kind is another file');
  assert.deepEqual(
    turn?.parts[4]?.type === 'tool_result' && turn.parts[4].parts[1]?.type === 'image' && turn.parts[4].parts[1].source,
    source,
  );
  assert.equal(withBytes(request, new Map()), request);
});

const named = (...urls: string[]): NamedMedia[] =>
  urls.map((url, at) => ({ field: `turns[0].parts[${at}]`, url, kind: 'image' }));

/** Answers when the test says so. */
class Fetcher implements MediaFetcher {
  readonly asked: string[] = [];
  readonly signals: AbortSignal[] = [];
  readonly #answers: ((media: FetchedMedia | GatewayError) => void)[] = [];

  fetch(url: string, _kind: unknown, signal: AbortSignal): Promise<FetchedMedia> {
    this.asked.push(url);
    this.signals.push(signal);
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')));
      this.#answers.push((media) => (media instanceof GatewayError ? reject(media) : resolve(media)));
    });
  }

  async answer(at: number, media: FetchedMedia | GatewayError): Promise<void> {
    this.#answers[at]?.(media);
    await new Promise(setImmediate);
  }
}

const MEDIA = { base64: 'AA==', mediaType: 'image/png' };

test('four are fetched at a time, each URL once', async () => {
  const fetcher = new Fetcher();
  const bytes = new Map<string, FetchedMedia>();
  const wait = new MediaWait(fetcher, named('a', 'b', 'a', 'c', 'd', 'e', 'b'), bytes);
  assert.deepEqual(fetcher.asked, ['a', 'b', 'c', 'd']);
  await fetcher.answer(2, MEDIA);
  assert.deepEqual(fetcher.asked, ['a', 'b', 'c', 'd', 'e']);
  for (const at of [0, 1, 3, 4]) await fetcher.answer(at, MEDIA);
  await wait.done;
  assert.deepEqual([...bytes.keys()].sort(), ['image a', 'image b', 'image c', 'image d', 'image e']);
});

test('one that cannot be fetched ends the others and is named', async () => {
  const fetcher = new Fetcher();
  const wait = new MediaWait(fetcher, named('a', 'b'), new Map());
  const failed = assert.rejects(wait.done, (error: GatewayError) => {
    assert.deepEqual([error.code, error.param], ['media_unreachable', 'turns[0].parts[1]']);
    assert.equal(error.message, '`turns[0].parts[1]` is not a picture.');
    return true;
  });
  await fetcher.answer(1, new GatewayError('media_unreachable', 'is not a picture'));
  await failed;
  assert.ok(fetcher.signals.every(({ aborted }) => aborted));
});

for (const how of ['clientGone', 'cancel'] as const) {
  test(`${how} ends the fetches and says nothing`, async () => {
    const fetcher = new Fetcher();
    const wait = new MediaWait(fetcher, named('a', 'b'), new Map());
    wait[how]();
    await wait.done;
    assert.ok(fetcher.signals.every(({ aborted }) => aborted));
  });
}

test('a call may not name files without end, nor more than memory can take', async () => {
  const fetcher = new Fetcher();
  const many = named(...Array.from({ length: 101 }, (_, at) => `u${at}`));
  await assert.rejects(new MediaWait(fetcher, many, new Map()).done, /names 101 files by URL; at most 100/);
  assert.deepEqual(fetcher.asked, []);
  const large = { fetch: () => Promise.resolve({ base64: 'A'.repeat(28 * 1024 * 1024), mediaType: 'image/png' }) };
  await assert.rejects(new MediaWait(large, named('a', 'b', 'c', 'd', 'e'), new Map()).done, /more by URL than can be/);
});
