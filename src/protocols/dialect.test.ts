/** Errors in the two dialects: exactly the shapes that the official clients read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError, errorTable } from '../domain/errors.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { anthropicDialect, openaiDialect } from './dialect.ts';
import { protocols } from './index.ts';

const codes = Object.keys(errorTable) as ErrorCode[];

/** Behaviour §9. */
const OPENAI_TYPES = [
  'invalid_request_error',
  'authentication_error',
  'permission_error',
  'not_found_error',
  'rate_limit_error',
  'timeout_error',
  'api_error',
  'overloaded_error',
  'service_unavailable_error',
];

/** Source: Anthropic API documentation, errors. A client that knows the set fails on a type outside of it. */
const ANTHROPIC_TYPES = [
  'invalid_request_error',
  'authentication_error',
  'billing_error',
  'permission_error',
  'not_found_error',
  'request_too_large',
  'rate_limit_error',
  'timeout_error',
  'api_error',
  'overloaded_error',
];

function parse(bytes: Buffer): Record<string, unknown> {
  return JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
}

for (const code of codes) {
  test(`${code} has the OpenAI shape and nothing more`, () => {
    const { error, ...others } = parse(openaiDialect.encodeError(new GatewayError(code, 'text'), 'req-1'));
    assert.deepEqual(others, {});
    const { type, ...fields } = error as Record<string, unknown>;
    assert.deepEqual(fields, { message: 'text', param: null, code });
    assert.ok(OPENAI_TYPES.includes(type as string), String(type));
  });

  test(`${code} has the Anthropic shape, a type of its closed set, and the request id`, () => {
    const { error, ...others } = parse(anthropicDialect.encodeError(new GatewayError(code, 'text'), 'req-1'));
    assert.deepEqual(others, { type: 'error', request_id: 'req-1' });
    const { type, ...fields } = error as Record<string, unknown>;
    assert.deepEqual(fields, { message: 'text' });
    assert.ok(ANTHROPIC_TYPES.includes(type as string), String(type));
  });
}

test('the field at fault is named', () => {
  const { error } = parse(
    openaiDialect.encodeError(new GatewayError('invalid_request', 'text', { param: 'model' }), 'r'),
  );
  assert.equal((error as Record<string, unknown>)['param'], 'model');
});

test('a body that is too large has Anthropic’s own type for it', () => {
  const { error } = parse(anthropicDialect.encodeError(new GatewayError('payload_too_large', 'text'), 'r'));
  assert.deepEqual(error, { type: 'request_too_large', message: 'text' });
});

test('any message survives the way through JSON', () => {
  const message = 'quote " backslash \\ newline \n € \u2028 data: [DONE]\n\n';
  for (const dialect of [openaiDialect, anthropicDialect]) {
    const bytes = dialect.encodeError(new GatewayError('invalid_request', message), 'r');
    assert.equal((parse(bytes)['error'] as Record<string, unknown>)['message'], message);
    assert.ok(!bytes.includes('\n'), 'the body stays on one line');
  }
});

test('each protocol speaks the dialect of its own clients', () => {
  for (const protocol of Object.values(protocols)) {
    const named = /^(anthropic|gemini)/.exec(protocol.name)?.[1] ?? 'openai';
    assert.equal(protocol.dialect.name, named, protocol.name);
  }
});
