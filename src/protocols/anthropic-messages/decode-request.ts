/**
 * A body of the Messages API read into the hub. What the API takes beyond the hub (containers, context management,
 * MCP servers …) becomes extra fields, which reach the same API and are reported by every other.
 * Source: Anthropic API reference, Messages, create (stable and beta).
 */
import type { ExtraField } from '../../domain/generation.ts';
import type { DecodedRequest, RequestFacts } from '../hub/codec.ts';
import type { ObjectReader } from '../hub/object-reader.ts';
import { readBody, Warnings } from '../hub/object-reader.ts';
import { readTurns } from './decode-messages.ts';
import { readOutput, readToolChoice, readTools } from './decode-options.ts';
import { NATIVE_ORIGIN } from './wire.ts';

/** In the order in which they are written again. */
const EXTRA_FIELDS = [
  'cache_control',
  'container',
  'context_management',
  'mcp_servers',
  'inference_geo',
  'speed',
  'fallbacks',
  'compaction',
];

/** Throws `invalid_json` or `invalid_request`. `max_tokens` may be missing: a count of tokens has none. */
export function decodeRequest(bytes: Buffer, facts: RequestFacts): DecodedRequest {
  const warnings = new Warnings();
  const body = readBody(bytes, warnings);
  const request = {
    model: facts.model ?? body.textOf('model'),
    isStream: facts.isStream ?? body.flag('stream') ?? false,
    wantsUsage: true,
    turns: readTurns(body),
    tools: readTools(body),
    ...readToolChoice(body),
    ...readOutput(body),
    maxTokens: body.whole('max_tokens'),
    temperature: body.number('temperature'),
    topP: body.number('top_p'),
    topK: body.whole('top_k'),
    stop: body.texts('stop_sequences'),
    user: readUser(body),
    serviceTier: body.text('service_tier'),
    extras: readExtras(body),
    ...NOT_IN_THIS_API,
  };
  body.ignore('model', 'stream');
  body.finish();
  return { request, warnings: warnings.list };
}

const NOT_IN_THIS_API = {
  minP: undefined,
  seed: undefined,
  frequencyPenalty: undefined,
  presencePenalty: undefined,
  choices: 1,
  wantsLogprobs: false,
  topLogprobs: undefined,
  logitBiasText: undefined,
  metadataText: undefined,
  verbosity: undefined,
  promptCacheKey: undefined,
  store: undefined,
};

function readUser(body: ObjectReader): string | undefined {
  const metadata = body.object('metadata');
  const user = metadata?.text('user_id');
  metadata?.finish();
  return user;
}

function readExtras(body: ObjectReader): ExtraField[] {
  return EXTRA_FIELDS.flatMap((name) => {
    const json = body.raw(name);
    return json === undefined ? [] : [{ origin: NATIVE_ORIGIN, name, json }];
  });
}
