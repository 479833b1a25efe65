/**
 * A completions body for a worker that takes tokens.
 * Source: OpenAI API reference, "Create completion"; vLLM's and SGLang's own members of it from their documentation.
 */
import type { Sampling } from '../../domain/token-generation.ts';
import type { RequestFacts } from '../hub/codec.ts';
import type { ObjectReader } from '../hub/object-reader.ts';
import { readBody, Warnings } from '../hub/object-reader.ts';
import { readPlainPrompts } from '../hub/plain-prompts.ts';
import { checkAnswers, checkLengths, readCommonSampling, readConstraint, wholeIn } from '../hub/sampling-reader.ts';
import type { DecodedTextRequest, TextRequest } from '../hub/text-codec.ts';

/** OpenAI's, where nothing is said. */
const MAX_TOKENS = 16;
/** OpenAI's bound. */
const MAX_LOGPROBS = 5;

/** Throws `invalid_json` and `invalid_request`; members that nobody knows are in the warnings. */
export function decodeRequest(bytes: Buffer, facts: RequestFacts): DecodedTextRequest {
  const warnings = new Warnings();
  const body = readBody(bytes, warnings);
  const given = readPlainPrompts(body, 'prompt');
  if (!given) throw body.refuse('prompt', 'is missing');
  const echo = body.flag('echo') ?? false;
  const sampling = readSampling(body, echo);
  checkAnswers(body, given.prompts.length, sampling.choices);
  const request: TextRequest = {
    ...given,
    model: facts.model ?? body.text('model') ?? '',
    isStream: body.flag('stream') ?? facts.isStream ?? false,
    wantsUsage: wantsUsage(body),
    echo,
    suffix: readSuffix(body),
    addSpecialTokens: body.flag('add_special_tokens') ?? true,
    sampling,
    requestId: body.text('rid') ?? body.text('request_id'),
  };
  readBestOf(body, sampling.choices);
  // Who asks is nothing to the engine; the others say what has been read above.
  body.ignore('model', 'user', 'request_id');
  body.finish();
  return { request, warnings: warnings.list };
}

function readSampling(body: ObjectReader, echo: boolean): Sampling {
  const logprobs = wholeIn(body, 'logprobs', { least: 0, most: MAX_LOGPROBS });
  const maxTokens = wholeIn(body, 'max_tokens', { least: 0 }) ?? MAX_TOKENS;
  const minTokens = wholeIn(body, 'min_tokens', { least: 0 });
  checkLengths(body, 'min_tokens', { minTokens, maxTokens });
  const keepsStop = [body.flag('no_stop_trim'), body.flag('include_stop_str_in_output')];
  return {
    ...readCommonSampling(body),
    maxTokens,
    minTokens,
    seed: body.whole('seed'),
    keepsStop: keepsStop.includes(true),
    logprobs,
    promptLogprobs: echo ? logprobs : undefined,
    constraint: readConstraint(body),
    beginsInThought: false,
  };
}

function wantsUsage(body: ObjectReader): boolean {
  const options = body.object('stream_options');
  // Padding of the frames says nothing about the answer.
  options?.ignore('include_obfuscation');
  const wanted = options?.flag('include_usage') ?? false;
  options?.finish();
  return wanted;
}

function readSuffix(body: ObjectReader): string | undefined {
  const suffix = body.text('suffix');
  if (suffix === undefined || suffix === '') return undefined;
  body.warnings.changed('suffix', 'is put behind the answer: the engine does not see it');
  return suffix;
}

function readBestOf(body: ObjectReader, choices: number): void {
  const bestOf = wholeIn(body, 'best_of', { least: 1 });
  if (bestOf !== undefined && bestOf !== choices)
    body.warnings.lost('best_of', 'is not done: as many answers as `n` says are made, and all of them given');
}
