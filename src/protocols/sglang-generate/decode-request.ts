/**
 * A body of SGLang's `/generate` for a worker that takes tokens.
 * Source: SGLang documentation, "Sampling Parameters" (arguments of `/generate`, names and defaults of `sampling_params`).
 * Rules   one way of sampling for all prompts of a batch: lists with one value for each of them must agree
 */
import type { Sampling } from '../../domain/token-generation.ts';
import type { RequestFacts } from '../hub/codec.ts';
import { parseNode } from '../hub/json-node.ts';
import { ObjectReader, readBody, Warnings } from '../hub/object-reader.ts';
import type { PlainPrompts } from '../hub/plain-prompts.ts';
import { readPlainPrompts } from '../hub/plain-prompts.ts';
import { checkAnswers, checkLengths, readCommonSampling, readConstraint, wholeIn } from '../hub/sampling-reader.ts';
import type { DecodedTextRequest, TextRequest } from '../hub/text-codec.ts';

/** SGLang's, where nothing is said. */
const MAX_TOKENS = 128;
/** Likeliest tokens at each place; engines have bounds of their own below this. */
const MAX_TOP = 1_000;
/** Another prompt than its text: leaving them out would answer another question. */
const MEDIA = ['image_data', 'video_data', 'audio_data', 'input_embeds'];
/** May be a list with one value for each prompt. */
const BATCHED = ['return_logprob', 'logprob_start_len', 'top_logprobs_num', 'sampling_params'];

/** Throws `invalid_json` and `invalid_request`; members that nobody knows are in the warnings. */
export function decodeRequest(bytes: Buffer, facts: RequestFacts): DecodedTextRequest {
  const warnings = new Warnings();
  const body = readBody(bytes, warnings);
  const given = readPrompts(body);
  const settled = settledReader(body);
  const logprobs = readLogprobs(settled);
  const sampling = readSampling(settled, { ...logprobs, isThinking: body.flag('require_reasoning') ?? false });
  checkAnswers(body, given.prompts.length, sampling.choices);
  const request: TextRequest = {
    ...given,
    model: facts.model ?? body.text('model') ?? '',
    isStream: body.flag('stream') ?? facts.isStream ?? false,
    // Each answer tells its own.
    wantsUsage: true,
    echo: false,
    suffix: undefined,
    addSpecialTokens: true,
    sampling,
    requestId: readId(body),
    shownLogprobs: logprobs.shown && { ...logprobs.shown, hasText: body.flag('return_text_in_logprobs') ?? false },
  };
  // What the engine notes for itself, and what has been read above.
  body.ignore('model', 'log_metrics', 'no_logs', 'return_text_in_logprobs', ...BATCHED);
  body.finish();
  return { request, warnings: warnings.list };
}

function readPrompts(body: ObjectReader): PlainPrompts {
  for (const name of MEDIA)
    if (body.value(name) !== undefined) throw body.refuse(name, 'cannot be sent to a worker that takes tokens');
  const texts = readPlainPrompts(body, 'text');
  const ids = readPlainPrompts(body, 'input_ids');
  if (texts && ids) throw body.refuse('input_ids', 'stands beside `text`: only one may be given');
  if (texts?.prompts.some(({ kind }) => kind === 'ids'))
    throw body.refuse('text', 'has token ids: `input_ids` takes them');
  if (ids?.prompts.some(({ kind }) => kind === 'text')) throw body.refuse('input_ids', 'must be lists of token ids');
  const given = texts ?? ids;
  if (!given) throw body.refuse('text', 'is missing');
  return given;
}

/** The members that may be lists, each as the one value that all prompts have. */
function settledReader(body: ObjectReader): ObjectReader {
  const members = BATCHED.flatMap((name) => {
    const node = body.value(name);
    if (node?.kind !== 'array') return node ? [[name, node.text] as const] : [];
    const [first] = node.items;
    if (node.items.some(({ text }) => text !== first?.text))
      throw body.refuse(name, 'must be the same for all prompts of a call: send calls of their own');
    return first ? [[name, first.text] as const] : [];
  });
  const text = `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
  return new ObjectReader(parseNode(text), '', body.warnings);
}

interface Logprobs {
  readonly top: number | undefined;
  readonly shown: { readonly promptFrom: number } | undefined;
}

/** From −1 on: none of the prompt. */
function readLogprobs(settled: ObjectReader): Logprobs {
  const isWanted = settled.flag('return_logprob') ?? false;
  const from = wholeIn(settled, 'logprob_start_len', { least: -1 }) ?? -1;
  const top = wholeIn(settled, 'top_logprobs_num', { least: 0, most: MAX_TOP }) ?? 0;
  if (!isWanted) return { top: undefined, shown: undefined };
  return { top, shown: { promptFrom: from < 0 ? Number.POSITIVE_INFINITY : from } };
}

function readSampling(settled: ObjectReader, { top, shown, isThinking }: Logprobs & { isThinking: boolean }): Sampling {
  const given =
    settled.object('sampling_params') ?? new ObjectReader(parseNode('{}'), 'sampling_params', settled.warnings);
  const maxTokens = wholeIn(given, 'max_new_tokens', { least: 0 }) ?? MAX_TOKENS;
  const minTokens = wholeIn(given, 'min_new_tokens', { least: 0 });
  checkLengths(given, 'min_new_tokens', { minTokens, maxTokens });
  const sampling: Sampling = {
    ...readCommonSampling(given),
    maxTokens,
    minTokens,
    seed: given.whole('sampling_seed') ?? given.whole('seed'),
    keepsStop: given.flag('no_stop_trim') ?? false,
    logprobs: top,
    promptLogprobs: shown && Number.isFinite(shown.promptFrom) ? top : undefined,
    constraint: readConstraint(given),
    beginsInThought: isThinking,
  };
  // Both about how the engine itself writes text, which is done here.
  given.ignore('spaces_between_special_tokens', 'stream_interval', 'seed');
  given.finish();
  return sampling;
}

/** One for the call; of a list, one for each prompt, the first. */
function readId(body: ObjectReader): string | undefined {
  if (body.value('rid')?.kind !== 'array') return body.text('rid');
  const [first, ...others] = body.texts('rid');
  if (others.length > 0) body.warnings.changed('rid', 'has several ids: the first one names the whole call');
  return first;
}
