/** From a call to what is asked of a worker that takes tokens, by the API that the client speaks. */
import type { Call } from '../../domain/call.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationRequest, TranslationWarning } from '../../domain/generation.ts';
import type { TokenPrompt } from '../../domain/token-generation.ts';
import type { TokenModel } from '../../domain/token-model.ts';
import type { TokenIds } from '../../domain/tokenizer.ts';
import { checkIds, checkSampling } from '../../pipeline/prompt/check-sampling.ts';
import type { AnswerForms } from '../../pipeline/prompt/prepare-chat.ts';
import { prepareChat } from '../../pipeline/prompt/prepare-chat.ts';
import { anthropicCountForm, geminiCountForm } from '../../protocols/count-tokens/count-tokens-between.ts';
import type { RequestFacts } from '../../protocols/hub/codec.ts';
import type { PlainPrompt } from '../../protocols/hub/text-codec.ts';
import type { Languages } from '../translation/way.ts';
import type { Encoding, Reading } from './token-prompt.ts';
import type { TokenWay } from './token-way.ts';
import { tokenWayOf } from './token-way.ts';

export interface ReadDeps extends Languages {
  /** The request as the hub has it. Throws a GatewayError. */
  decoded(call: Call): { readonly request: GenerationRequest; readonly warnings: readonly TranslationWarning[] };
  /** How the answers of a model are read. */
  formsOf(name: string, call: Call, model: TokenModel): AnswerForms;
}

interface Asked<Kind extends TokenWay['kind']> {
  readonly call: Call;
  readonly way: Extract<TokenWay, { kind: Kind }>;
  readonly model: TokenModel;
  /** Canonical id of the model. */
  readonly name: string;
}

export function readTokenCall(asked: Omit<Asked<'chat'>, 'way'>, deps: ReadDeps): Reading {
  const way = tokenWayOf(deps.protocols[asked.call.protocol], deps);
  switch (way?.kind) {
    case 'chat':
      return readChat({ ...asked, way }, deps);
    case 'text':
      return readText({ ...asked, way });
    case 'embed':
      return readEmbed({ ...asked, way });
    case 'count':
      return readCount({ ...asked, way }, deps);
    case undefined:
      throw new GatewayError('not_translatable', `Calls of ${asked.call.protocol} need a worker that speaks HTTP.`);
  }
}

function readChat({ call, way, model, name }: Asked<'chat'>, deps: ReadDeps): Reading {
  const { request, warnings } = deps.decoded(call);
  const chat = prepareChat(request, model, deps.formsOf(name, call, model));
  checkSampling(chat.sampling, model.tokenizer.vocabularySize);
  checkRequestId(chat.requestId);
  return {
    prompts: [{ chars: chat.text.length, encode: () => model.tokenizer.encode(chat.text, false) }],
    complete: ([ids]) => ({
      kind: 'chat',
      model,
      request,
      chat,
      codec: way.codec,
      prompts: [promptOf(chat.text, ids)],
      sampling: chat.sampling,
      adapter: chat.adapter,
      warnings: [...warnings, ...chat.warnings],
    }),
  };
}

function readText({ call, way, model }: Asked<'text'>): Reading {
  const { request, warnings } = way.codec.decodeRequest(call.body, factsOf(call));
  const { prompts, addSpecialTokens, sampling } = request;
  checkSampling(sampling, model.tokenizer.vocabularySize);
  checkRequestId(request.requestId);
  return {
    prompts: prompts.map((prompt) => encodingOf(prompt, model, addSpecialTokens)),
    complete: (ids) => ({
      kind: 'text',
      model,
      request,
      codec: way.codec,
      prompts: prompts.map((prompt, at) => promptOf(textOf(prompt), ids[at])),
      sampling,
      adapter: undefined,
      warnings,
    }),
  };
}

function readEmbed({ call, way, model, name }: Asked<'embed'>): Reading {
  const { codec, via } = way;
  const target = { provider: undefined, model: name, maxOutputTokens: undefined };
  const encoded = via?.encodeRequest(call.body, target);
  const { request, warnings } = codec.decodeRequest(encoded?.body ?? call.body, factsOf(call));
  return {
    prompts: request.prompts.map((prompt) => encodingOf(prompt, model, true)),
    complete: (ids) => ({
      kind: 'embed',
      model,
      request,
      codec,
      prompts: request.prompts.map((prompt, at) => promptOf(textOf(prompt), ids[at])),
      adapter: undefined,
      warnings: [...(encoded?.warnings ?? []), ...warnings],
      finish: (body) => via?.encodeAnswer(body, { model: call.model ?? name, requestBody: call.body }).body ?? body,
    }),
  };
}

function readCount({ call, way, model, name }: Asked<'count'>, deps: ReadDeps): Reading {
  const form = call.protocol === 'gemini-count-tokens' ? geminiCountForm : anthropicCountForm;
  const { codec } = way.generation;
  if (!codec) throw new Error(`${way.generation.name} has no codec.`);
  const { request } = codec.decodeRequest(form.unwrap(call.body), factsOf(call));
  const chat = prepareChat(request, model, deps.formsOf(name, call, model));
  return {
    prompts: [{ chars: chat.text.length, encode: () => model.tokenizer.encode(chat.text, false) }],
    complete: ([ids]) => ({
      kind: 'count',
      model,
      form,
      prompts: [promptOf(chat.text, ids)],
      adapter: chat.adapter,
      warnings: [],
    }),
  };
}

function encodingOf(prompt: PlainPrompt, { tokenizer }: TokenModel, addSpecialTokens: boolean): Encoding {
  if (prompt.kind === 'text')
    return { chars: prompt.text.length, encode: () => tokenizer.encode(prompt.text, addSpecialTokens) };
  checkIds(prompt.ids, tokenizer.vocabularySize);
  return { chars: 0, encode: () => prompt.ids };
}

const REQUEST_ID = /^[\x21-\x7e]{1,256}$/;

/** It goes into metadata and ids, and comes back in answers. */
function checkRequestId(requestId: string | undefined): void {
  if (requestId === undefined || REQUEST_ID.test(requestId)) return;
  const text = '`rid` must be of at most 256 printable characters without spaces.';
  throw new GatewayError('invalid_request', text, { param: 'rid' });
}

function textOf(prompt: PlainPrompt): string {
  return prompt.kind === 'text' ? prompt.text : '';
}

function promptOf(text: string, ids: TokenIds | undefined): TokenPrompt {
  if (!ids || ids.length === 0) throw new GatewayError('invalid_request', 'The prompt has no tokens.');
  return { text, ids };
}

function factsOf({ modelSpans, model, stream, headers }: Call): RequestFacts {
  return { model: modelSpans.length > 0 ? undefined : model, isStream: stream, headers };
}
