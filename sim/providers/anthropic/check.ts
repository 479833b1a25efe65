/**
 * What Anthropic refuses in a messages request as a whole: fields, ranges, thinking, tools, cache breakpoints.
 * Source: Anthropic API reference "Create a message" and "Errors", guides "Extended thinking", "Adaptive thinking",
 * "Prompt caching", "Structured outputs", "Migrating to API version 2026-10-21"; error messages as users report them.
 */

import { isRecord, type JsonRecord, listOf, numberOf, recordOf, stringOf } from '../../json.ts';
import { Refusal } from '../refusal.ts';
import type { Sealer } from '../seal.ts';
import { checkBlock, checkCacheControl } from './blocks-check.ts';
import { extraInput, invalid, onlyFields } from './errors.ts';
import { checkMessages } from './messages-check.ts';
import { isAdaptiveOnly, mayPrefill, takesSystemMessages } from './models.ts';
import { checkFormat, checkTools } from './tools-check.ts';

const COUNT_FIELDS = [
  'messages',
  'model',
  'cache_control',
  'context_management',
  'mcp_servers',
  'output_config',
  'speed',
  'system',
  'thinking',
  'tool_choice',
  'tools',
];

const CREATE_FIELDS = [
  ...COUNT_FIELDS,
  'container',
  'diagnostics',
  'inference_geo',
  'max_tokens',
  'metadata',
  'service_tier',
  'stop_sequences',
  'stream',
  'temperature',
  'top_k',
  'top_p',
];

const MOST_BREAKPOINTS = 4;
const THINKING_GUIDE =
  'Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking';

/** The version that has no sampling parameters any more, and no citations in texts of users. */
export const NEWEST_VERSION = '2026-10-21';

const SAMPLING = ['temperature', 'top_p', 'top_k'];

/** What a check needs besides the body. */
export interface CheckContext {
  readonly models: readonly string[];
  readonly sealer: Sealer;
  /** `count`: the body of count_tokens, which has no limit and no sampling. */
  readonly purpose: 'create' | 'count';
  /** The `anthropic-version` header. */
  readonly version: string;
}

/** Throws the Refusal of the first thing that is wrong. */
export function checkRequest(body: JsonRecord, context: CheckContext): void {
  const isCreate = context.purpose === 'create';
  onlyFields(body, isCreate ? CREATE_FIELDS : COUNT_FIELDS, '');
  const model = stringOf(body['model']);
  if (model === undefined || model === '') throw invalid('model', 'Field required');
  if (!context.models.includes(model)) throw new Refusal({ status: 404, message: `model: ${model}`, param: 'model' });
  if (isCreate) checkLimits(body);
  checkSystem(body['system'], context.sealer);
  checkThinking(body, model);
  const isNewest = context.version === NEWEST_VERSION;
  const removed = SAMPLING.find((name) => isNewest && body[name] !== undefined);
  if (removed !== undefined) throw extraInput(removed);
  checkSampling(body, model);
  checkTools(body);
  checkFormat(body);
  checkBreakpoints(body);
  checkMessages(body['messages'], {
    sealer: context.sealer,
    mustStartWithThinking: recordOf(body['thinking'])['type'] === 'enabled',
    mayPrefill: mayPrefill(model) && !isThinking(body),
    takesSystem: takesSystemMessages(model),
    refusesCitations: isNewest,
  });
}

function checkLimits(body: JsonRecord): void {
  const limit = body['max_tokens'];
  if (limit === undefined) throw invalid('max_tokens', 'Field required');
  if (!Number.isInteger(limit)) throw invalid('max_tokens', 'Input should be a valid integer');
  if (Number(limit) < 1) throw invalid('max_tokens', 'must be greater than or equal to 1');
  const stream = body['stream'];
  if (stream !== undefined && typeof stream !== 'boolean') throw invalid('stream', 'Input should be a valid boolean');
  const stops = body['stop_sequences'];
  if (stops !== undefined && !Array.isArray(stops)) throw invalid('stop_sequences', 'Input should be a valid list');
  for (const stop of listOf(stops)) {
    if (typeof stop === 'string' && stop.trim() !== '') continue;
    throw invalid('stop_sequences', 'each stop sequence must contain non-whitespace');
  }
  onlyFields(recordOf(body['metadata']), ['user_id'], 'metadata');
}

function checkSystem(system: unknown, sealer: Sealer): void {
  if (system === undefined || typeof system === 'string') return;
  if (!Array.isArray(system)) throw invalid('system', 'Input should be a valid string or list');
  system.forEach((block, index) => checkBlock(block, { at: `system.${index}`, role: 'system', sealer }));
}

function isThinking(body: JsonRecord): boolean {
  const type = recordOf(body['thinking'])['type'];
  return type === 'enabled' || type === 'adaptive';
}

function checkThinking(body: JsonRecord, model: string): void {
  if (body['thinking'] === undefined) return;
  const thinking = recordOf(body['thinking']);
  const type = stringOf(thinking['type']) ?? '';
  if (!['enabled', 'adaptive', 'disabled', 'between_tools'].includes(type)) {
    throw invalid(
      'thinking',
      `Input tag '${type}' found using 'type' does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'`,
    );
  }
  const fields = { enabled: ['budget_tokens', 'display'], adaptive: ['display'] }[type] ?? [];
  onlyFields(thinking, ['type', ...fields], `thinking.${type}`);
  if (type === 'enabled') checkBudget(body, thinking, model);
  if (type === 'adaptive' && /claude-(3|.*-4-[0-5]\b|.*-4-2)/.test(model)) {
    throw invalid('', 'adaptive thinking is not supported on this model');
  }
  // Thinking in manual mode alone: adaptive thinking goes together with forced calls.
  if (type !== 'enabled') return;
  const choice = recordOf(body['tool_choice'])['type'];
  if (choice === 'any' || choice === 'tool') {
    throw invalid('', 'Thinking may not be enabled when tool_choice forces tool use.');
  }
}

function checkBudget(body: JsonRecord, thinking: JsonRecord, model: string): void {
  if (isAdaptiveOnly(model)) {
    const why =
      '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.';
    throw invalid('', why);
  }
  const budget = numberOf(thinking['budget_tokens']);
  if (budget === undefined) throw invalid('thinking.enabled.budget_tokens', 'Field required');
  if (budget < 1024) {
    throw invalid('thinking.enabled.budget_tokens', 'Input should be greater than or equal to 1024');
  }
  if (body['max_tokens'] !== undefined && budget >= Number(body['max_tokens'])) {
    throw invalid('', `\`max_tokens\` must be greater than \`thinking.budget_tokens\`. ${THINKING_GUIDE}`);
  }
}

function checkSampling(body: JsonRecord, model: string): void {
  for (const name of SAMPLING) {
    const value = body[name];
    if (value === undefined) continue;
    if (isAdaptiveOnly(model)) throw invalid('', `\`${name}\` is deprecated for this model.`);
    if (numberOf(value) === undefined) throw invalid(name, 'Input should be a valid number');
    const most = name === 'top_k' ? Infinity : 1;
    if (Number(value) < 0 || Number(value) > most) throw invalid(name, `range: 0..${most}`);
  }
  if (!isThinking(body)) return;
  if (body['temperature'] !== undefined && body['temperature'] !== 1) {
    throw invalid(
      '',
      `\`temperature\` may only be set to 1 when thinking is enabled or in adaptive mode. ${THINKING_GUIDE}`,
    );
  }
  if (body['top_k'] !== undefined)
    throw invalid('', `\`top_k\` must be unset when thinking is enabled. ${THINKING_GUIDE}`);
  const topP = numberOf(body['top_p']);
  if (topP !== undefined && topP < 0.95) {
    throw invalid(
      '',
      `\`top_p\` must be greater than or equal to 0.95 or unset when thinking is enabled. ${THINKING_GUIDE}`,
    );
  }
}

/** At most four breakpoints in tools, system and messages together, longer ones first. */
function checkBreakpoints(body: JsonRecord): void {
  checkCacheControl(body['cache_control'], 'cache_control');
  const found = [body['tools'], body['system'], body['messages']].flatMap(breakpointsIn);
  if (found.length > MOST_BREAKPOINTS) {
    throw invalid('', `A maximum of 4 blocks with cache_control may be provided. Found ${found.length}.`);
  }
  const firstShort = found.findIndex((control) => control['ttl'] !== '1h');
  if (firstShort >= 0 && found.slice(firstShort).some((control) => control['ttl'] === '1h')) {
    const rule = "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.";
    throw invalid(
      '',
      `${rule} Note that blocks are processed in the following order: \`tools\`, \`system\`, \`messages\`.`,
    );
  }
}

/** Every cache_control of blocks in a value, in order; not those inside tool inputs and schemas. */
function breakpointsIn(value: unknown): readonly JsonRecord[] {
  if (Array.isArray(value)) return value.flatMap(breakpointsIn);
  if (!isRecord(value)) return [];
  const own = isRecord(value['cache_control']) ? [value['cache_control']] : [];
  return [...breakpointsIn(value['content']), ...own];
}
