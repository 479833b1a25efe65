import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GenerationEvent } from '../../domain/generation-event.ts';
import { answerFacts } from '../../../test/support/translation-case.ts';
import { encodeAnswer } from './answer.ts';
import { decodeRequest } from './decode-request.ts';

test('lists choices by their index, whichever began to speak first', () => {
  const said = (choice: number): GenerationEvent => ({
    type: 'text-delta',
    choice,
    text: `${choice}`,
    logprobs: undefined,
  });
  const asked = Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], n: 3 }));
  const { request } = decodeRequest(asked, { model: undefined, isStream: false, headers: {} });
  const { body } = encodeAnswer([said(2), said(0), said(1)], answerFacts(request));
  const { choices } = JSON.parse(body.toString()) as { choices: { index: number; message: { content: string } }[] };
  assert.deepEqual(
    choices.map(({ index, message }) => [index, message.content]),
    [
      [0, '0'],
      [1, '1'],
      [2, '2'],
    ],
  );
});
