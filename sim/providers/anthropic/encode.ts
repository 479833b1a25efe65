/**
 * Messages as Anthropic words them: whole and as named events, blocks one after the other.
 *
 *   message_start, (content_block_start, deltas, content_block_stop) per block, message_delta, message_stop; ping anywhere
 *
 * Source: Anthropic API reference "Create a message", guide "Streaming messages" (event flow, delta types).
 */

import { namedFrame } from '../../api/openai-frames.ts';
import { type JsonRecord, recordOf } from '../../json.ts';
import type { ProviderCall, Worded } from '../dialect.ts';
import type { Plan } from '../plan.ts';
import { piecesOf } from '../play.ts';
import { anthropicErrorBody } from './errors.ts';
import { type CacheUse, useCache } from './read.ts';

/** A content block: as it starts, its deltas, and whole. */
interface Block {
  readonly start: JsonRecord;
  readonly deltas: readonly JsonRecord[];
  readonly whole: JsonRecord;
}

/** Words a plan. */
export function wordMessage(call: ProviderCall, plan: Plan): Worded {
  const blocks = blocksOf(call, plan);
  const usage = wordUsage(plan, useCache(call.body, call.cache));
  const id = call.newId('msg_01');
  const message = (content: readonly unknown[], end: JsonRecord, output: JsonRecord) => ({
    id,
    type: 'message',
    role: 'assistant',
    model: plan.model,
    content,
    ...end,
    usage: { ...usage, ...output },
  });
  const end = wordEnd(plan);
  const output = wordOutput(plan);
  const head = message([], { stop_reason: null, stop_sequence: null, stop_details: null }, { output_tokens: 1 });
  return {
    whole: message(
      blocks.map((block) => block.whole),
      end,
      output,
    ),
    frames: [
      event('message_start', { message: head }),
      ...(plan.hasPings ? [PING] : []),
      ...blocks.flatMap((block, index) => blockFrames(block, index, plan)),
      ...(plan.hasUnknown ? [event('sim_unknown_event', { any: 'thing' })] : []),
      event('message_delta', { delta: end, usage: { ...usage, ...output } }),
      ...(plan.hasPings ? [PING] : []),
      event('message_stop', {}),
    ],
    errorFrames: (message, status) => [
      namedFrame('error', anthropicErrorBody({ status, message }, call.newId('req_'))),
    ],
  };
}

const PING = event('ping', {});

function event(type: string, fields: JsonRecord): string {
  return namedFrame(type, { type, ...fields });
}

function blockFrames(block: Block, index: number, plan: Plan): readonly string[] {
  const deltas = block.deltas.map((delta) => event('content_block_delta', { index, delta }));
  const middle = plan.hasPings ? [...deltas.slice(0, 1), PING, ...deltas.slice(1)] : deltas;
  return [
    event('content_block_start', { index, content_block: block.start }),
    // The recorded streams have one ping behind the first block's start, always.
    ...(index === 0 ? [PING] : []),
    ...middle,
    event('content_block_stop', { index }),
  ];
}

function blocksOf(call: ProviderCall, plan: Plan): readonly Block[] {
  const blocks: Block[] = [];
  if (plan.thought !== undefined) blocks.push(thinkingBlock(call, plan.thought));
  if (plan.isRedacted) blocks.push(redactedBlock(call, plan));
  const said = plan.isBlocked ? '' : (plan.refusal ?? plan.text);
  if (said !== '') blocks.push(textBlock(said, plan));
  for (const { name, argumentsText } of plan.calls) {
    const head = { type: 'tool_use', id: call.newId('toolu_01'), name };
    // A call without arguments comes as one empty fragment.
    const fragments = argumentsText === '{}' ? [''] : ['', ...piecesOf(argumentsText)];
    blocks.push({
      start: { ...head, input: {} },
      deltas: fragments.map((text) => ({ type: 'input_json_delta', partial_json: text })),
      whole: { ...head, input: JSON.parse(argumentsText) as unknown },
    });
  }
  return blocks;
}

function thinkingBlock(call: ProviderCall, thought: string): Block {
  const isOmitted = recordOf(call.body['thinking'])['display'] === 'omitted';
  const thinking = isOmitted ? '' : thought;
  const signature = call.sealer.seal(thinking);
  return {
    start: { type: 'thinking', thinking: '', signature: '' },
    deltas: [
      ...piecesOf(thinking).map((text) => ({ type: 'thinking_delta', thinking: text })),
      { type: 'signature_delta', signature },
    ],
    whole: { type: 'thinking', thinking, signature },
  };
}

function redactedBlock(call: ProviderCall, plan: Plan): Block {
  const whole = { type: 'redacted_thinking', data: call.sealer.seal(`redacted ${plan.thought ?? ''}`) };
  return { start: whole, deltas: [], whole };
}

function textBlock(text: string, plan: Plan): Block {
  const citation = {
    type: 'char_location',
    cited_text: text.slice(0, 20),
    document_index: 0,
    document_title: 'A source',
    start_char_index: 0,
    end_char_index: Math.min(20, text.length),
    file_id: null,
  };
  const pieces = piecesOf(text).map((piece) => ({ type: 'text_delta', text: piece }));
  return {
    start: { type: 'text', text: '', ...(plan.hasCitation ? { citations: [] } : {}) },
    deltas: plan.hasCitation ? [...pieces, { type: 'citations_delta', citation }] : pieces,
    whole: { type: 'text', text, ...(plan.hasCitation ? { citations: [citation] } : {}) },
  };
}

function wordEnd(plan: Plan): JsonRecord {
  const reasons = {
    stop: 'end_turn',
    length: 'max_tokens',
    calls: 'tool_use',
    refusal: 'refusal',
    pause: 'pause_turn',
    stop_sequence: 'stop_sequence',
  } as const;
  const details = { type: 'refusal', category: null, explanation: plan.refusal ?? 'The prompt was blocked.' };
  return {
    stop_reason: reasons[plan.finish],
    stop_sequence: plan.stopSequence ?? null,
    stop_details: plan.finish === 'refusal' ? details : null,
  };
}

/** Input tokens exclude what the cache gave or took; those stand beside. */
function wordUsage({ usage }: Plan, cache: CacheUse): JsonRecord {
  const read = Math.max(usage.cached, cache.read);
  const written = Math.min(cache.written, usage.prompt - read);
  const hour = Math.min(cache.writtenForAnHour, written);
  return {
    input_tokens: usage.prompt - read - written,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: read,
    cache_creation: { ephemeral_5m_input_tokens: written - hour, ephemeral_1h_input_tokens: hour },
    service_tier: 'standard',
  };
}

/** Output tokens include thinking. */
function wordOutput({ usage }: Plan): JsonRecord {
  const details = usage.reasoning === 0 ? {} : { output_tokens_details: { thinking_tokens: usage.reasoning } };
  return { output_tokens: usage.output + usage.reasoning, ...details };
}
