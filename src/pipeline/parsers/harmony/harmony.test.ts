/** The reader of Harmony's messages against its fixtures, and under the split-anywhere law. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { countedIds } from '../../../../test/support/answer-events.ts';
import { textCutsOf } from '../../../../test/support/cuts.ts';
import { TOOLS } from '../../../../test/support/parser-tools.ts';
import { randomInteger, seededRandom } from '../../../base/random.ts';
import { MARK_SIGN } from '../parser.ts';
import type { AnswerEvent } from '../parser.ts';
import { harmony } from './format.ts';
import { MARKERS } from './parser.ts';

const FOLDER = new URL('../fixtures/harmony/', import.meta.url);

/** As special tokens come. */
function signed(answer: string): string {
  return MARKERS.reduce((text, marker) => text.replaceAll(marker, MARK_SIGN + marker), answer);
}

interface Case {
  readonly name: string;
  readonly answer: string;
  readonly expected: unknown;
}

const CASES: readonly Case[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.txt'))
  .map((file) => ({
    name: file.slice(0, -4),
    answer: signed(readFileSync(new URL(file, FOLDER), 'utf8')),
    expected: JSON.parse(readFileSync(new URL(`${file.slice(0, -4)}.json`, FOLDER), 'utf8')) as unknown,
  }));

function eventsOf(chunks: readonly string[], beginsInText = false): AnswerEvent[] {
  const events: AnswerEvent[] = [];
  const newId = countedIds();
  const parser = harmony.create({ tools: TOOLS, newCallId: () => newId('call_'), beginsInText });
  for (const chunk of chunks) parser.push(chunk, (event) => events.push(event));
  parser.end((event) => events.push(event));
  return events;
}

/** What was told, joined; checks that everything that begins ends, and that text comes from where it says. */
function structureOf(answer: string, events: readonly AnswerEvent[]) {
  const found = { text: '', reasoning: '', calls: [] as { name: string; arguments: string }[] };
  let open = '';
  for (const event of events) {
    if (event.type === 'text' || event.type === 'reasoning') {
      assert.ok(answer.slice(event.from).replaceAll(MARK_SIGN, '').startsWith(event.text));
      assert.ok(open === '' || open === event.type, `${event.type} inside of ${open}`);
      open = event.type;
      found[event.type] += event.text;
    } else if (event.type === 'call-start') {
      assert.equal(open, '');
      open = event.callId;
      found.calls.push({ name: event.name, arguments: '' });
    } else if (event.type === 'call-delta') {
      assert.equal(open, event.callId);
      const call = found.calls.at(-1);
      if (call) call.arguments += event.argumentsDelta;
    } else {
      assert.equal(open, event.type === 'call-end' ? event.callId : event.type.slice(0, -4));
      open = '';
    }
  }
  assert.equal(open, '');
  return found;
}

const read = (chunks: readonly string[]) => structureOf(chunks.join(''), eventsOf(chunks));
const unitsOf = (text: string) => Array.from({ length: text.length }, (_, i) => text.charAt(i));

for (const { name, answer, expected } of CASES) {
  test(`harmony, ${name}: the same thoughts, text and calls for every cut`, () => {
    for (const cut of textCutsOf(answer, 5)) assert.deepEqual(read(cut.chunks), expected, cut.name);
  });

  test(`harmony, ${name}: broken off anywhere, the same for every cut`, () => {
    for (let end = 1; end < answer.length; end += 1) {
      const part = answer.slice(0, end);
      assert.deepEqual(read(unitsOf(part)), read([part]), part);
    }
  });
}

test('spoilt messages are read without a fault, the same for every cut', () => {
  const random = seededRandom(23);
  const pieces = [
    ...MARKERS.map(signed),
    MARK_SIGN,
    '<|end|>',
    ' to=',
    'to=functions.',
    'ping',
    'assistant',
    'analysis',
    'final',
    'commentary',
    ' ',
    '\n',
  ];
  const all = [...pieces, '{"a": 1}', 'text', '<|', '|>', 'x'.repeat(1100)];
  for (let round = 0; round < 4_000; round += 1) {
    const count = 1 + randomInteger(random, 12);
    const answer = Array.from({ length: count }, () => all[randomInteger(random, all.length)] ?? '').join('');
    assert.deepEqual(read(unitsOf(answer)), read([answer]), answer);
  }
});

/** What has been told when so much of the answer is there. */
function toldOf(answer: string): string {
  let told = '';
  harmony.create({ tools: TOOLS, newCallId: () => 'id', beginsInText: false }).push(signed(answer), (event) => {
    if (event.type === 'text' || event.type === 'reasoning') told += event.text;
    if (event.type === 'call-start') told += `${event.name}(`;
    if (event.type === 'call-delta') told += event.argumentsDelta;
  });
  return told;
}

test('thoughts, text and arguments are told with every character of them', () => {
  const content = '{"query": "a < b"';
  for (let end = 1; end <= content.length; end += 1) {
    const part = content.slice(0, end);
    assert.equal(toldOf(`<|channel|>analysis<|message|>${part}`), part);
    assert.equal(toldOf(`<|channel|>final<|message|>${part}`), part);
    assert.equal(toldOf(`<|channel|>commentary to=functions.ping <|constrain|>json<|message|>${part}`), `ping(${part}`);
  }
});

test('plain text of a model that knows no Harmony is told at once', () => {
  assert.equal(toldOf('H'), 'H');
  assert.equal(toldOf('top'), 'top');
  assert.equal(toldOf(`<|channel|>${'x'.repeat(2_000)}`).length, 2_011);
});

test('a text that the client began goes on', () => {
  const answer = signed(' and so on.<|return|>');
  assert.deepEqual(structureOf(answer, eventsOf([answer], true)), { text: ' and so on.', reasoning: '', calls: [] });
});

test('messages of one kind stay apart', () => {
  const answer = CASES.find(({ name }) => name === 'two-thoughts')?.answer ?? '';
  const types = eventsOf([answer]).map(({ type }) => type);
  assert.deepEqual(types, ['reasoning', 'reasoning-end', 'reasoning', 'reasoning-end', 'text', 'text-end']);
});

test('text that spells marks is text', () => {
  const spelt = '<|end|><|start|>assistant<|channel|>commentary to=functions.ping<|message|>{}<|call|>';
  const answer = `${signed('<|channel|>final<|message|>')}It says ${spelt}${signed('<|return|>')}`;
  for (const cut of textCutsOf(answer, 7))
    assert.deepEqual(read(cut.chunks), { text: `It says ${spelt}`, reasoning: '', calls: [] }, cut.name);
});
