/** Bodies and answers pass byte for byte: 200 generated ones, with everything that parsers and writers like to change. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import type { Random } from '../../src/base/random.ts';
import { post, rigFor } from '../support/rig.ts';

const BODIES = 200;

function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random.next() * list.length)] as T;
}

const NUMBERS = [
  '9007199254740993',
  '1e-7',
  '-0',
  '0.10',
  '1E+2',
  '123456789012345678901234567890',
  '5e-324',
  '0.1e1',
  '-1.50',
];
const STRINGS = [
  '"\\u00e9"',
  '"é"',
  '"\\ud83d\\ude00"',
  '"😀"',
  '"\\/"',
  '"a\\nb"',
  '"\\\\\\""',
  '"\\u2028"',
  '"\u2028"',
  '"[DONE]"',
  '"\\"usage\\""',
  '"\\ud800"',
];
const SPACES = ['', ' ', '\n', '\t', ' \r\n '];
const KEYS = ['"temperature"', '"x"', '"usage"', '"\\u0078"', '"nested model"', '""', '"seed"', '"stop"'];

function value(random: Random, depth: number): string {
  const kind = Math.floor(random.next() * (depth > 3 ? 3 : 5));
  const space = () => pick(random, SPACES);
  if (kind === 0) return pick(random, NUMBERS);
  if (kind === 1) return pick(random, STRINGS);
  if (kind === 2) return pick(random, ['true', 'false', 'null']);
  const count = Math.floor(random.next() * 4);
  const items = Array.from({ length: count }, () => value(random, depth + 1));
  if (kind === 3) return `[${space()}${items.join(`${space()},${space()}`)}${space()}]`;
  // Keys are drawn from few, so that many objects have the same key twice.
  return `{${space()}${items.map((item) => `${pick(random, KEYS)}${space()}:${space()}${item}`).join(`,${space()}`)}${space()}}`;
}

function members(random: Random): string {
  return Array.from(
    { length: 2 + Math.floor(random.next() * 8) },
    () => `${pick(random, KEYS)}:${value(random, 0)}`,
  ).join(',');
}

test(`${BODIES} odd bodies reach the engine, and ${BODIES} odd answers the client, without a byte changed`, async (t) => {
  const { gateway, engines } = await rigFor(t, 2);
  const random = seededRandom(20_240_601);
  const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
  for (let round = 0; round < BODIES; round += 1) {
    const answer = Buffer.from(`{${members(random)},"usage":{"prompt_tokens":1e0,"completion_tokens":2}}`);
    const fixed = `"sim_answer_base64":"${answer.toString('base64')}","sim_answer_content_type":"application/json; odd=1"`;
    const body = `{${pick(random, SPACES)}${members(random)},"model":"other","messages":[],${fixed},"model"${pick(random, SPACES)}:"sim-model"}${pick(random, SPACES)}`;
    const reply = await post(gateway, '/v1/chat/completions', body);
    const got = Buffer.from(await reply.arrayBuffer());
    assert.equal(reply.status, 200, got.toString());
    assert.equal(sha256(got), sha256(answer), `answer ${round}`);
    assert.equal(reply.headers.get('content-type'), 'application/json; odd=1');
    const seen = engines.map((engine) => engine.lastRequest()).filter((request) => request?.sha256 === sha256(body));
    assert.equal(seen.length, 1, `body ${round}: ${body}`);
  }
});
