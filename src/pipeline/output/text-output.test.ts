import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampling } from '../../../test/support/sampling.ts';
import { TinyTokenizer } from '../../../test/support/tiny-tokenizer.ts';
import type { OutputLogprobs, Sampling } from '../../domain/token-generation.ts';
import { compileStops } from './stop-matcher.ts';
import type { TextPiece } from './text-output.ts';
import { TextOutput } from './text-output.ts';

const tokenizer = new TinyTokenizer({
  tokens: ['Hello', ' wor', 'ld.', '\n\n', Uint8Array.of(0x20, 0xe4)],
  specials: ['<eos>', '<tool>'],
});
const EOS = tokenizer.idOf('<eos>') ?? 0;
const TOOL = tokenizer.idOf('<tool>') ?? 0;

interface Setting extends Partial<Sampling> {
  readonly markers?: readonly string[];
}

function create({ markers = [], ...more }: Setting): TextOutput {
  const asked = sampling(more);
  const stops = compileStops(asked.stop);
  return new TextOutput({ tokenizer, sampling: asked, stops, endTokenIds: [EOS], markers, showsIds: true });
}

/** Minus the id, so that each token has its own. */
function logprobsOf(ids: readonly number[]): OutputLogprobs {
  return {
    logprobs: ids.map((id) => -id),
    topIds: ids.map((id) => [id, 65]),
    topLogprobs: ids.map((id) => [-id, -1000]),
  };
}

function run(chunks: readonly (readonly number[])[], setting: Setting = {}) {
  const output = create(setting);
  const pieces: TextPiece[] = [];
  for (const ids of chunks)
    output.push(ids, setting.logprobs === undefined ? undefined : logprobsOf(ids), (piece) => pieces.push(piece));
  output.finish((piece) => pieces.push(piece));
  return { pieces, text: pieces.map(({ text }) => text).join(''), output };
}

/** All ways to group the tokens. */
function* groupings(ids: readonly number[]): Generator<number[][]> {
  for (let mask = 0; mask < 2 ** (ids.length - 1); mask += 1) {
    const chunks: number[][] = [[]];
    for (const [i, id] of ids.entries()) {
      chunks.at(-1)?.push(id);
      if (mask & (1 << i)) chunks.push([]);
    }
    yield chunks;
  }
}

test('a stop token ends the text and is no part of it; what comes later is ignored', () => {
  const { text, output } = run([[...tokenizer.encode('Hello'), EOS, 65]]);
  assert.equal(text, 'Hello');
  assert.equal(output.matchedStop, EOS);
  assert.equal(output.tokenCount, 2);
});

test('a stop token of the client ends it too, and is shown where stops are kept', () => {
  assert.equal(run([[65, 66, 67]], { stopTokenIds: [66] }).text, 'A');
  assert.equal(run([[65, 66, 67]], { stopTokenIds: [66], keepsStop: true }).text, 'AB');
});

test('end tokens mean nothing where they are to be ignored', () => {
  const { text, output } = run([[65, EOS, 66]], { ignoreEos: true });
  assert.equal(text, 'AB');
  assert.equal(output.isStopped, false);
});

test('special tokens are left out but for those that parsers need, or all shown', () => {
  const ids = [65, TOOL, EOS, 66];
  assert.equal(run([ids], { ignoreEos: true, markers: ['<tool>'] }).text, 'A<tool>B');
  assert.equal(run([ids], { ignoreEos: true, skipSpecialTokens: false }).text, 'A<tool><eos>B');
});

test('stop strings do not count in the tokens that the client wants at least', () => {
  const ids = [...tokenizer.encode('a.b.c')];
  assert.equal(run([ids], { stop: ['.'], minTokens: 2 }).text, 'a.b');
  assert.equal(run([ids], { stop: ['.b'], minTokens: 2 }).text, 'a.b.c');
});

test('half a character at the end becomes U+FFFD', () => {
  assert.equal(run([[65, 0xe4, 0xb8]]).text, 'A\ufffd');
});

test('a token comes with the text that makes it whole', () => {
  const ids = [260, 0xb8, 0x96, 65];
  const { pieces } = run(
    ids.map((id) => [id]),
    { logprobs: 1 },
  );
  assert.deepEqual(
    pieces.map((piece) => [piece.text, piece.tokens?.map(({ id, logprob, text }) => [id, logprob, text])]),
    [
      [' ', []],
      [
        '世',
        [
          [260, -260, ' \ufffd'],
          [0xb8, -0xb8, '\ufffd'],
          [0x96, -0x96, '\ufffd'],
        ],
      ],
      ['A', [[65, -65, 'A']]],
    ],
  );
  assert.deepEqual(pieces[2]?.tokens?.[0]?.top, [{ id: 65, text: 'A', logprob: -65 }]);
});

test('tokens of a hidden stop string are not told, one that begins before it is', () => {
  const ids = [...tokenizer.encode('Hello world.x')];
  const { pieces, text } = run([ids], { logprobs: 0, stop: ['orld.'] });
  assert.equal(text, 'Hello w');
  assert.deepEqual(
    pieces.flatMap((piece) => piece.ids),
    [256, 257],
  );
});

test('every grouping gives the same text, tokens and places', () => {
  const texts = ['Hello 世界 👋🏽.', 'a\n\nEND👋END', 'ab世\n\n👍 wor', '👋\u0301\n\n'];
  const stops = [[], ['END'], ['\n\n', '世\n\n👍'], ['👋🏽', 'world']];
  for (const text of texts) {
    for (const stop of stops) {
      for (const keepsStop of [false, true]) {
        const ids = [...tokenizer.encode(text)].slice(0, 11);
        const single = run(
          ids.map((id) => [id]),
          { stop, keepsStop, logprobs: 1 },
        );
        const places = new Map<number, number>();
        let chars = 0;
        let count = 0;
        for (const piece of single.pieces) {
          chars += piece.text.length;
          count += piece.ids.length;
          places.set(count, chars);
        }
        for (const chunks of groupings(ids)) {
          const { pieces, text: grouped, output } = run(chunks, { stop, keepsStop, logprobs: 1 });
          assert.equal(grouped, single.text);
          assert.equal(output.matchedStop, single.output.matchedStop);
          assert.deepEqual(
            pieces.flatMap((piece) => piece.tokens),
            single.pieces.flatMap((piece) => piece.tokens),
          );
          assert.equal(pieces.at(-1)?.text, single.pieces.at(-1)?.text);
        }
        assert.equal(places.get(count), single.text.length);
      }
    }
  }
});
