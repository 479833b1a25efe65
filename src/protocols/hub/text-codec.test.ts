/** What holds for the ends of all APIs of plain prompts: whatever a client sends is understood or refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { REQUEST_FACTS } from '../../../test/support/text-answers.ts';
import { GatewayError } from '../../domain/errors.ts';
import { protocols } from '../index.ts';

const decoders = Object.values(protocols).flatMap(({ name, text, embed }) => {
  const codec = text ?? embed;
  return codec ? [{ name, decode: (body: Buffer) => codec.decodeRequest(body, REQUEST_FACTS) }] : [];
});

const NAMES = [
  'prompt',
  'text',
  'input',
  'input_ids',
  'content',
  'requests',
  'parts',
  'n',
  'stop',
  'logprobs',
  'logit_bias',
  'sampling_params',
  'return_logprob',
  'response_format',
  'json_schema',
  'type',
  'structured_outputs',
  'stream_options',
  'dimensions',
  'rid',
  '__proto__',
  'constructor',
];

const anyBody = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, 0, -1, 1.5, 3, 1e300, '', 'a', 'json_object', 'float'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.nat(9), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom(...NAMES), tie('value'), { maxKeys: 6, noNullPrototype: false }),
})).object;

test('the APIs of plain prompts have ends', () => {
  assert.deepEqual(
    decoders.map(({ name }) => name),
    ['openai-completions', 'openai-embeddings', 'gemini-embeddings', 'sglang-generate'],
  );
});

for (const { name, decode } of decoders) {
  test(`${name}: any body is taken or refused with the name of a member, and no warning comes twice`, () => {
    fc.assert(
      fc.property(anyBody, (body) => {
        try {
          const { request, warnings } = decode(Buffer.from(JSON.stringify(body)));
          assert.ok(request.prompts.length > 0);
          const fields = warnings.map(({ field }) => field);
          assert.equal(new Set(fields).size, fields.length, fields.join());
        } catch (thrown) {
          assert.ok(thrown instanceof GatewayError, String(thrown));
          assert.deepEqual([thrown.code, typeof thrown.param], ['invalid_request', 'string']);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test(`${name}: what is no JSON object is refused as such`, () => {
    for (const body of ['', '{', '[]', '"a"', 'null'])
      assert.throws(() => decode(Buffer.from(body)), { code: 'invalid_json' });
  });
}
