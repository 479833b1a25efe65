/** Events to a whole message. Source: Anthropic API reference, Messages, the answer. */
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { AnswerFacts, EncodedAnswer } from '../hub/codec.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { isObjectText, jsonBytes, raw, RawJson } from '../hub/json-text.ts';
import type { Warnings } from '../hub/object-reader.ts';
import { AnswerWriter } from './answer-writer.ts';
import type { BlockSink, BlockStart } from './block-queue.ts';
import { encodeUsage } from './wire-usage.ts';

/** Throws the error that the events hold, if they do. */
export function encodeAnswer(events: readonly GenerationEvent[], facts: AnswerFacts): EncodedAnswer {
  const content: BlockText[] = [];
  const writer = new AnswerWriter(blocksInto(content));
  let id = '';
  for (const event of events) {
    if (event.type === 'error') throw event.error;
    if (event.type === 'start') id ||= event.id;
    writer.push(event);
  }
  writer.closeAll();
  const body = {
    id: id || facts.newId('msg_'),
    type: 'message',
    role: 'assistant',
    model: facts.model,
    content: content.map((block) => render(block, writer.warnings)),
    ...writer.stop,
    usage: encodeUsage(writer.usage),
  };
  return { body: jsonBytes(body), warnings: writer.warnings.list };
}

/** A block with what its deltas said, by the member that they are about. */
interface BlockText {
  readonly start: BlockStart;
  readonly texts: Map<string, string>;
  readonly citations: JsonOut[];
}

/** Of a delta, and of its block. */
const MEMBERS = [
  ['text', 'text'],
  ['thinking', 'thinking'],
  ['signature', 'signature'],
  ['partial_json', 'input'],
] as const;

function blocksInto(content: BlockText[]): BlockSink {
  return {
    open: (start) => content.push({ start, texts: new Map(), citations: [] }),
    delta: (delta) => {
      const block = content.at(-1);
      if (block) addTo(block, delta);
    },
    close: () => undefined,
  };
}

function addTo({ texts, citations }: BlockText, delta: Readonly<Record<string, JsonOut>>): void {
  for (const [from, to] of MEMBERS) {
    const piece = delta[from];
    if (typeof piece === 'string') texts.set(to, (texts.get(to) ?? '') + piece);
  }
  if (delta['citation'] !== undefined) citations.push(delta['citation']);
}

function render({ start, texts, citations }: BlockText, warnings: Warnings): JsonOut {
  if (start instanceof RawJson) return start;
  const said = [...texts].map(([name, text]) => [name, name === 'input' ? inputOf(text, warnings) : text]);
  return { ...start, ...Object.fromEntries(said), citations: citations.length === 0 ? undefined : citations };
}

function inputOf(text: string, warnings: Warnings): JsonOut {
  if (isObjectText(text)) return raw(text);
  warnings.changed('tool_calls', 'have arguments that are no JSON object and are given as the text in one');
  return { arguments: text };
}
