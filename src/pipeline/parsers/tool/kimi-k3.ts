/**
 * Calls of Kimi K3: channels between control tokens, arguments with a type each. Ids are `NAME:INDEX` and go on counting
 * over the conversation. Source: vLLM's list of parsers (kimi_k3).
 */
import { defineToolFormat } from './define.ts';
import { invokeGrammar } from './invoke.ts';

export const kimiK3 = defineToolFormat({
  id: 'kimi_k3',
  models: ['kimi-k3', 'kimi_k3'],
  markers: ['<|open|>', '<|close|>', '<|sep|>'],
  callIdOf: ({ name, index }) => `${name}:${index}`,
  grammar: invokeGrammar({
    opening: '<|open|>tools<|sep|>',
    closing: '<|close|>tools<|sep|>',
    before: [],
    after: [],
    invoke: '<|open|>call',
    invokeEnd: '<|close|>call<|sep|>',
    parameter: '<|open|>argument',
    parameterEnd: '<|close|>argument<|sep|>',
    framesValues: false,
    escapesEntities: false,
    tagEnd: '<|sep|>',
    toolAttribute: 'tool',
    keyAttribute: 'key',
    stringAttribute: ['type', 'string'],
  }),
});
