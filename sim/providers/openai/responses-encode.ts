/**
 * Responses as OpenAI words them: whole and as numbered, named events around output items.
 *
 *   created, in_progress, per item (output_item.added, parts and deltas, …done, output_item.done), completed | incomplete
 *
 * Ids of items that follow a thought carry the thought's id and an `r`, so that a later request can be checked without
 * memory. Source: OpenAI API reference "Responses", "Streaming events".
 */

import { namedFrame } from '../../api/openai-frames.ts';
import { type JsonRecord, listOf, numberOf, recordOf } from '../../json.ts';
import type { ProviderCall, Worded } from '../dialect.ts';
import type { Plan } from '../plan.ts';
import { piecesOf } from '../play.ts';
import { tokenLogprob, urlCitation } from './chat-encode.ts';
import { openaiErrorBody } from './errors.ts';

/** An output item, and the events between its start and its end. */
interface Output {
  readonly start: JsonRecord;
  readonly whole: JsonRecord;
  readonly events: readonly (readonly [type: string, fields: JsonRecord])[];
}

/** A worded response; the ids of its calls are needed to go on from it. */
export interface WordedResponse extends Worded {
  readonly callIds: readonly string[];
}

/** Words a plan. */
export function wordResponse(call: ProviderCall, plan: Plan, id: string): WordedResponse {
  const outputs = outputsOf(call, plan);
  const head = responseHead(call, plan, id);
  const isWhole = plan.finish !== 'length';
  const reason = plan.isBlocked ? 'content_filter' : 'max_output_tokens';
  const isComplete = isWhole && !plan.isBlocked;
  const done = {
    ...head,
    status: isComplete ? 'completed' : 'incomplete',
    incomplete_details: isComplete ? null : { reason },
    output: outputs.map((output) => output.whole),
    usage: wordUsage(plan),
  };
  const begun = { ...head, status: 'in_progress', output: [], usage: null };
  let sequence = 0;
  const frame = (type: string, fields: JsonRecord) => {
    const numbered = namedFrame(type, { type, sequence_number: sequence, ...fields });
    sequence++;
    return numbered;
  };
  const frames = [
    frame('response.created', { response: begun }),
    frame('response.in_progress', { response: begun }),
    ...(plan.hasPings ? [': ping\n\n'] : []),
    ...outputs.flatMap((output, index) => [
      frame('response.output_item.added', { output_index: index, item: output.start }),
      ...(plan.hasUnknown ? [frame('response.sim_unknown.delta', { output_index: index, any: 'thing' })] : []),
      ...output.events.map(([type, fields]) =>
        frame(type, { item_id: output.start['id'], output_index: index, ...fields }),
      ),
      ...(plan.hasPings ? [': ping\n\n'] : []),
      frame('response.output_item.done', { output_index: index, item: output.whole }),
    ]),
    frame(`response.${done.status}`, { response: done }),
  ];
  const errorFrames = (message: string, status: number) => {
    const inner = recordOf(recordOf(openaiErrorBody({ status, message }))['error']);
    const { code, param } = inner;
    return [namedFrame('error', { type: 'error', sequence_number: 9999, code: code ?? inner['type'], message, param })];
  };
  const callIds = outputs.flatMap(({ whole }) => (whole['type'] === 'function_call' ? [String(whole['call_id'])] : []));
  return { whole: done, frames, errorFrames, callIds };
}

function responseHead(call: ProviderCall, plan: Plan, id: string): JsonRecord {
  const { body } = call;
  return {
    id,
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    background: body['background'] === true,
    error: null,
    incomplete_details: null,
    instructions: body['instructions'] ?? null,
    max_output_tokens: body['max_output_tokens'] ?? null,
    model: plan.model,
    parallel_tool_calls: body['parallel_tool_calls'] !== false,
    previous_response_id: body['previous_response_id'] ?? null,
    reasoning: {
      effort: recordOf(body['reasoning'])['effort'] ?? null,
      summary: recordOf(body['reasoning'])['summary'] ?? null,
    },
    service_tier: 'default',
    store: body['store'] !== false,
    temperature: body['temperature'] ?? 1,
    text: body['text'] ?? { format: { type: 'text' } },
    tool_choice: body['tool_choice'] ?? 'auto',
    tools: listOf(body['tools']),
    top_p: body['top_p'] ?? 1,
    truncation: body['truncation'] ?? 'disabled',
    user: null,
    metadata: body['metadata'] ?? {},
  };
}

function outputsOf(call: ProviderCall, plan: Plan): readonly Output[] {
  const thought = plan.thought === undefined ? undefined : call.newId('', 32);
  const outputs: Output[] = [];
  if (thought !== undefined) outputs.push(reasoningItem(call, plan, `rs_${thought}`));
  const itemId = (prefix: string) =>
    thought === undefined ? call.newId(prefix, 32) : `${prefix}${thought}r${outputs.length}`;
  if (plan.refusal !== undefined && !plan.isBlocked) outputs.push(refusalItem(itemId('msg_'), plan.refusal));
  else if (plan.text !== '') outputs.push(messageItem(call, itemId('msg_'), plan));
  for (const { name, argumentsText } of plan.calls) {
    outputs.push(callItem(itemId('fc_'), call.newId('call_'), name, argumentsText));
  }
  return outputs;
}

function reasoningItem(call: ProviderCall, plan: Plan, id: string): Output {
  const isSealed = listOf(call.body['include']).includes('reasoning.encrypted_content');
  const sealed = isSealed ? { encrypted_content: call.sealer.seal(id) } : {};
  const { summary: wish, generate_summary: old } = recordOf(call.body['reasoning']);
  const text = plan.thought ?? '';
  const isShown = wish !== undefined || old !== undefined;
  const part = { type: 'summary_text', text };
  const place = { summary_index: 0 };
  return {
    start: { id, type: 'reasoning', summary: [], ...sealed },
    whole: { id, type: 'reasoning', summary: isShown ? [part] : [], ...sealed },
    events: !isShown
      ? []
      : [
          ['response.reasoning_summary_part.added', { ...place, part: { ...part, text: '' } }],
          ...piecesOf(text).map((delta) => ['response.reasoning_summary_text.delta', { ...place, delta }] as const),
          ['response.reasoning_summary_text.done', { ...place, text }],
          ['response.reasoning_summary_part.done', { ...place, part }],
        ],
  };
}

function messageItem(call: ProviderCall, id: string, plan: Plan): Output {
  const { text } = plan;
  const wants = listOf(call.body['include']).includes('message.output_text.logprobs');
  const top = numberOf(call.body['top_logprobs']) ?? 0;
  const logprobsOf = (piece: string) => (wants ? [tokenLogprob(piece, top)] : []);
  const annotations = plan.hasCitation ? [{ type: 'url_citation', ...urlCitation(text) }] : [];
  const logprobs = piecesOf(text).flatMap(logprobsOf);
  const part = { type: 'output_text', annotations, logprobs, text };
  const place = { content_index: 0 };
  return {
    start: { id, type: 'message', status: 'in_progress', content: [], role: 'assistant' },
    whole: {
      id,
      type: 'message',
      status: plan.finish === 'length' ? 'incomplete' : 'completed',
      content: [part],
      role: 'assistant',
    },
    events: [
      ['response.content_part.added', { ...place, part: { ...part, annotations: [], logprobs: [], text: '' } }],
      ...piecesOf(text).map(
        (delta) => ['response.output_text.delta', { ...place, delta, logprobs: logprobsOf(delta) }] as const,
      ),
      ...annotations.map(
        (annotation, index) =>
          ['response.output_text.annotation.added', { ...place, annotation_index: index, annotation }] as const,
      ),
      ['response.output_text.done', { ...place, text, logprobs }],
      ['response.content_part.done', { ...place, part }],
    ],
  };
}

function refusalItem(id: string, refusal: string): Output {
  const part = { type: 'refusal', refusal };
  const place = { content_index: 0 };
  return {
    start: { id, type: 'message', status: 'in_progress', content: [], role: 'assistant' },
    whole: { id, type: 'message', status: 'completed', content: [part], role: 'assistant' },
    events: [
      ['response.content_part.added', { ...place, part: { ...part, refusal: '' } }],
      ...piecesOf(refusal).map((delta) => ['response.refusal.delta', { ...place, delta }] as const),
      ['response.refusal.done', { ...place, refusal }],
      ['response.content_part.done', { ...place, part }],
    ],
  };
}

function callItem(id: string, callId: string, name: string, argumentsText: string): Output {
  const item = { id, type: 'function_call', call_id: callId, name };
  return {
    start: { ...item, status: 'in_progress', arguments: '' },
    whole: { ...item, status: 'completed', arguments: argumentsText },
    events: [
      ...piecesOf(argumentsText).map((delta) => ['response.function_call_arguments.delta', { delta }] as const),
      ['response.function_call_arguments.done', { name, arguments: argumentsText }],
    ],
  };
}

function wordUsage({ usage }: Plan): JsonRecord {
  const output = usage.output + usage.reasoning;
  return {
    input_tokens: usage.prompt,
    input_tokens_details: { cached_tokens: usage.cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage.reasoning },
    total_tokens: usage.prompt + output,
  };
}
