/** Bodies and answers pass byte for byte: 200 generated ones, with everything that parsers and writers like to change. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { seededRandom } from '../../src/base/random.ts';
import { oddMembers, oddSpace } from '../support/odd-json.ts';
import { post, rigFor } from '../support/rig.ts';

const BODIES = 200;

test(`${BODIES} odd bodies reach the engine, and ${BODIES} odd answers the client, without a byte changed`, async (t) => {
  const { gateway, engines } = await rigFor(t, 2);
  const random = seededRandom(20_240_601);
  const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
  for (let round = 0; round < BODIES; round += 1) {
    const answer = Buffer.from(`{${oddMembers(random)},"usage":{"prompt_tokens":1e0,"completion_tokens":2}}`);
    const fixed = `"sim_answer_base64":"${answer.toString('base64')}","sim_answer_content_type":"application/json; odd=1"`;
    const body = `{${oddSpace(random)}${oddMembers(random)},"model":"other","messages":[],${fixed},"model"${oddSpace(random)}:"sim-model"}${oddSpace(random)}`;
    const reply = await post(gateway, '/v1/chat/completions', body);
    const got = Buffer.from(await reply.arrayBuffer());
    assert.equal(reply.status, 200, got.toString());
    assert.equal(sha256(got), sha256(answer), `answer ${round}`);
    assert.equal(reply.headers.get('content-type'), 'application/json; odd=1');
    const seen = engines.map((engine) => engine.lastRequest()).filter((request) => request?.sha256 === sha256(body));
    assert.equal(seen.length, 1, `body ${round}: ${body}`);
  }
});
