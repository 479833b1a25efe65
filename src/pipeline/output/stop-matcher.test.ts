import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textCutsOf } from '../../../test/support/cuts.ts';
import { randomInteger, seededRandom } from '../../base/random.ts';
import { GatewayError } from '../../domain/errors.ts';
import { compileStops, StopMatcher } from './stop-matcher.ts';

function search(stops: readonly string[], chunks: readonly string[], keepsStop = false) {
  const matcher = new StopMatcher(compileStops(stops), keepsStop);
  let text = '';
  for (const chunk of chunks) text += matcher.push(chunk);
  return { text: text + matcher.end(), matched: matcher.matched };
}

/** By looking at every place in turn. */
function naive(stops: readonly string[], text: string) {
  for (let end = 1; end <= text.length; end += 1) {
    const here = stops.filter((stop) => text.slice(0, end).endsWith(stop));
    const matched = here.toSorted((a, b) => b.length - a.length)[0];
    if (matched !== undefined) return { text: text.slice(0, end - matched.length), matched };
  }
  return { text, matched: undefined };
}

/** The longest part of the text that no future can take back. */
function certain(stops: readonly string[], text: string): number {
  for (let from = 0; from < text.length; from += 1)
    if (stops.some((stop) => stop.length > text.length - from && stop.startsWith(text.slice(from)))) return from;
  return text.length;
}

test('ends the text before the stop string that is complete first', () => {
  assert.deepEqual(search(['world', 'lo'], ['Hello world']), { text: 'Hel', matched: 'lo' });
  assert.deepEqual(search(['abcd', 'bc'], ['xabcd']), { text: 'xa', matched: 'bc' });
});

test('takes the longest of several strings that end at the same place', () => {
  assert.deepEqual(search(['c', 'abc', 'bc'], ['xabcd']), { text: 'x', matched: 'abc' });
});

test('keeps the stop string where that is wanted, and nothing after it', () => {
  assert.deepEqual(search(['END'], ['a E', 'ND b'], true), { text: 'a END', matched: 'END' });
});

test('gives back what was held when the text ends without a match', () => {
  assert.deepEqual(search(['END'], ['a EN']), { text: 'a EN', matched: undefined });
});

test('refuses empty strings and too much of them', () => {
  for (const stops of [['a', ''], ['x'.repeat(65_537)]])
    assert.throws(
      () => compileStops(stops),
      (error) => error instanceof GatewayError && error.code === 'invalid_request',
    );
});

test('halves of surrogate pairs are never a match', () => {
  assert.deepEqual(search(['\udc4b', '\ud83d'], ['a👋b']), { text: 'a👋b', matched: undefined });
});

test('finds what a search of every place finds, for every cut, and holds back no more than it must', () => {
  const random = seededRandom(11);
  const alphabet = ['a', 'b', '世', '👋', '👍'];
  const word = (longest: number) =>
    Array.from({ length: 1 + randomInteger(random, longest) }, () => alphabet[randomInteger(random, 5)]).join('');
  for (let round = 0; round < 300; round += 1) {
    const stops = Array.from({ length: 1 + randomInteger(random, 4) }, () => word(4));
    const text = word(20);
    const expected = naive(stops, text);
    for (const cut of textCutsOf(text, round)) assert.deepEqual(search(stops, cut.chunks), expected, cut.name);
    const matcher = new StopMatcher(compileStops(stops), false);
    let seen = '';
    let told = '';
    for (const char of text) {
      seen += char;
      told += matcher.push(char);
      if (matcher.matched !== undefined) break;
      assert.equal(told, seen.slice(0, certain(stops, seen)), `${JSON.stringify(stops)} in ${seen}`);
    }
  }
});

test('a long text and long strings cost one pass', () => {
  const stop = `${'a'.repeat(30_000)}b`;
  const matcher = new StopMatcher(compileStops([stop]), false);
  let length = 0;
  for (let i = 0; i < 60; i += 1) length += matcher.push('a'.repeat(20_000)).length;
  assert.equal(length, 60 * 20_000 - 30_000);
});
