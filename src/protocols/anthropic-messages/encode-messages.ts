/**
 * The conversation as this API wants it: the system prompt apart, user and assistant in turn, and the results of a
 * turn's calls at the beginning of the very next user message, one for each call.
 * Source: Anthropic API reference, Messages; tool use, handling results; mid-conversation system messages.
 */
import type { Part, ToolResultPart, Turn } from '../../domain/generation.ts';
import type { JsonOut } from '../hub/json-text.ts';
import { fitToolId } from '../hub/tool-ids.ts';
import type { Block, Writer } from './encode-block.ts';
import { renderBlock, textOfBlock, typeOfBlock } from './encode-block.ts';
import { missingResultBlock, orphanBlocks, partBlocks, toolResultBlock } from './encode-parts.ts';
import { TOOL_ID_RULE } from './wire.ts';

/** What stands where the API wants words of the user and the client has none. */
const FIRST_WORDS = 'Begin.';
const LAST_WORDS = 'Continue.';

interface Draft {
  readonly role: 'user' | 'assistant' | 'system';
  /** Of tools; they are written first. */
  readonly results: Block[];
  readonly blocks: Block[];
  /** It is one plain text. */
  isPlain: boolean;
}

export class Conversation {
  readonly #writer: Writer;
  readonly #drafts: Draft[] = [];
  /** Calls of the last assistant message that have no result yet: ids as they are written, and where they stand. */
  readonly #open = new Map<string, string>();
  readonly #system: Draft = { role: 'system', results: [], blocks: [], isPlain: false };

  constructor(turns: readonly Turn[], writer: Writer) {
    this.#writer = writer;
    const leading = turns.findIndex(({ role }) => role !== 'system' && role !== 'developer');
    const first = leading < 0 ? turns.length : leading;
    turns.forEach((turn, index) => (index < first ? this.#lead(turn, index, first) : this.#add(turn, index)));
    this.#answerOpenCalls();
  }

  get systemBlocks(): readonly Block[] {
    return this.#system.blocks;
  }

  /** In the order of the prompt. */
  get messageBlocks(): readonly Block[] {
    return this.#drafts.flatMap(({ results, blocks }) => [...results, ...blocks]);
  }

  /** Adds to the system prompt. */
  instruct(text: string): void {
    this.#system.isPlain = this.#system.blocks.length === 0;
    this.#system.blocks.push(textBlock(text, 'response_format'));
  }

  /**
   * May the model think on within the calls that are under way? With a budget it may only if the turn that they belong
   * to began with a thought.
   */
  get mayThinkOn(): boolean {
    const turns = mergedTurns(this.#drafts);
    let at = turns.length - 1;
    const openings: Draft[] = [];
    while (turns[at]?.role === 'user' && (turns[at]?.results.length ?? 0) > 0) {
      const opening = turns[at - 1];
      const before = turns[at - 2];
      // Words of the user beside results may begin a turn, or be part of the one that goes on: both have to fit.
      const isFirst = (before?.results.length ?? 0) === 0 || (before?.blocks.length ?? 0) > 0;
      if (opening && isFirst) openings.push(opening);
      at -= 2;
    }
    return openings.every(({ blocks: [first] }) => first === undefined || isThought(first));
  }

  /** The first and the last words are the user's. A beginning of the answer stays only where the model takes one. */
  close(takesPrefill: boolean): void {
    const { warnings } = this.#writer;
    this.#drafts.splice(0, this.#drafts.length, ...this.#drafts.filter((draft) => sizeOf(draft) > 0));
    this.#endWithUser(takesPrefill);
    if (this.#drafts[0]?.role === 'user') return;
    warnings.changed('turns', `do not begin with the user, so \`${FIRST_WORDS}\` stands before them`);
    this.#drafts.unshift(userDraft(FIRST_WORDS));
  }

  get system(): JsonOut | undefined {
    return this.#system.blocks.length === 0 ? undefined : contentOf(this.#system);
  }

  get messages(): JsonOut {
    return this.#drafts.map((draft) => ({ role: draft.role, content: contentOf(draft) }));
  }

  #lead(turn: Turn, index: number, count: number): void {
    this.#system.blocks.push(...this.#systemBlocks(turn, index));
    this.#system.isPlain = turn.isPlain && count === 1;
  }

  #systemBlocks(turn: Turn, index: number): Block[] {
    this.#checkName(turn, index);
    return turn.parts.flatMap((part, at) => {
      const field = `turns[${index}].parts[${at}]`;
      if (part.type === 'text') return partBlocks(part, field, this.#writer);
      this.#writer.warnings.lost(field, 'is no text, and a system prompt takes only text');
      return [];
    });
  }

  #add(turn: Turn, index: number): void {
    if (turn.role === 'system' || turn.role === 'developer') return this.#addSystem(turn, index);
    this.#checkName(turn, index);
    if (turn.role === 'assistant') return this.#addAssistant(turn, index);
    const draft = this.#userDraft(turn.isPlain);
    turn.parts.forEach((part, at) => this.#addUserPart(draft, part, `turns[${index}].parts[${at}]`));
  }

  #addUserPart(draft: Draft, part: Part, field: string): void {
    const { warnings } = this.#writer;
    if (part.type === 'tool_result') return this.#addResult(draft, part, field);
    if (part.type === 'tool_call' || part.type === 'reasoning')
      return warnings.lost(field, 'is of the assistant and stands in a turn of the user');
    draft.blocks.push(...partBlocks(part, field, this.#writer));
  }

  #addResult(draft: Draft, part: ToolResultPart, field: string): void {
    if (this.#open.delete(fitToolId(part.callId, TOOL_ID_RULE)))
      draft.results.push(toolResultBlock(part, field, this.#writer));
    else draft.blocks.push(...orphanBlocks(part, field, this.#writer));
  }

  #addAssistant(turn: Turn, index: number): void {
    const last = this.#drafts.at(-1);
    const isSame = last?.role === 'assistant';
    if (!isSame) this.#answerOpenCalls();
    const draft: Draft = isSame ? last : { role: 'assistant', results: [], blocks: [], isPlain: turn.isPlain };
    draft.isPlain &&= !isSame;
    turn.parts.forEach((part, at) => this.#addAssistantPart(draft, part, `turns[${index}].parts[${at}]`));
    if (!isSame && draft.blocks.length > 0) this.#drafts.push(draft);
  }

  #addAssistantPart(draft: Draft, part: Part, field: string): void {
    if (part.type === 'tool_result')
      return this.#writer.warnings.lost(field, 'is a result and stands in a turn of the assistant');
    draft.blocks.push(...partBlocks(part, field, this.#writer));
    if (part.type === 'tool_call') this.#open.set(fitToolId(part.callId, TOOL_ID_RULE), field);
  }

  /** A system turn stays one where the model takes it; elsewhere it is told in the user's message, marked. */
  #addSystem(turn: Turn, index: number): void {
    const blocks = this.#systemBlocks(turn, index);
    if (blocks.length === 0) return;
    const last = this.#drafts.at(-1);
    if (last?.role === 'system') {
      last.isPlain = false;
      last.blocks.push(...blocks);
    } else if (this.#writer.traits.takesSystemTurns && last?.role === 'user' && this.#open.size === 0) {
      this.#drafts.push({ role: 'system', results: [], blocks, isPlain: turn.isPlain });
    } else this.#userDraft(false).blocks.push(...this.#demoted(blocks));
  }

  #demoted(blocks: readonly Block[]): Block[] {
    return blocks.map(({ field, cache, ...block }) => {
      this.#writer.warnings.changed(
        field,
        'is a system prompt within the conversation and is sent as text of the user',
      );
      const text = textOfBlock({ field, cache, ...block }) ?? '';
      return { ...textBlock(`<system>\n${text}\n</system>`, field), cache };
    });
  }

  /** The user's message that is being written. A system turn must stand before the assistant: else it moves into it. */
  #userDraft(isPlain: boolean): Draft {
    const last = this.#drafts.at(-1);
    if (last?.role === 'user') {
      last.isPlain = false;
      return last;
    }
    if (last?.role === 'system') {
      this.#drafts.pop();
      const user = this.#userDraft(false);
      user.blocks.push(...this.#demoted(last.blocks));
      return user;
    }
    const draft: Draft = { role: 'user', results: [], blocks: [], isPlain };
    this.#drafts.push(draft);
    return draft;
  }

  #answerOpenCalls(): void {
    if (this.#open.size === 0) return;
    const draft = this.#userDraft(false);
    for (const [callId, field] of this.#open) {
      this.#writer.warnings.changed(field, 'is a call without a result, so that it is answered with an error');
      draft.results.push(missingResultBlock(callId, field));
    }
    this.#open.clear();
  }

  #endWithUser(takesPrefill: boolean): void {
    const last = this.#drafts.at(-1);
    const block = last?.blocks.at(-1);
    // A turn that ends with a block of the API's own was paused: it is sent back as it is, to be gone on with.
    if (last?.role !== 'assistant' || !block || typeOfBlock(block) === undefined) return;
    if (!takesPrefill) {
      this.#writer.warnings.changed('turns', `end with the assistant, so \`${LAST_WORDS}\` stands after them`);
      this.#drafts.push(userDraft(LAST_WORDS));
      return;
    }
    const text = textOfBlock(block);
    const trimmed = text?.trimEnd();
    if (trimmed === undefined || trimmed === text) return;
    this.#writer.warnings.changed(block.field, 'ends with blank space, which this API refuses at the end');
    last.blocks.splice(-1, 1, { ...textBlock(trimmed, block.field), cache: block.cache });
  }

  #checkName({ name }: Turn, index: number): void {
    if (name !== undefined) this.#writer.warnings.lost(`turns[${index}].name`, 'has no counterpart in this API');
  }
}

/** As the API sees them: what is empty is not there, and messages of one role are one. */
function mergedTurns(drafts: readonly Draft[]): readonly Draft[] {
  const turns: Draft[] = [];
  for (const draft of drafts.filter((each) => sizeOf(each) > 0)) {
    const last = turns.at(-1);
    if (last?.role !== draft.role) turns.push(draft);
    else
      turns[turns.length - 1] = {
        ...last,
        results: [...last.results, ...draft.results],
        blocks: [...last.blocks, ...draft.blocks],
      };
  }
  return turns;
}

function isThought(block: Block): boolean {
  return ['thinking', 'redacted_thinking'].includes(typeOfBlock(block) ?? '');
}

function textBlock(text: string, field: string): Block {
  return { members: { type: 'text', text }, cache: undefined, field };
}

function userDraft(text: string): Draft {
  return { role: 'user', results: [], blocks: [textBlock(text, 'turns')], isPlain: true };
}

function sizeOf({ results, blocks }: Draft): number {
  return results.length + blocks.length;
}

function contentOf({ results, blocks, isPlain }: Draft): JsonOut {
  const [only] = blocks;
  const text = only && textOfBlock(only);
  const isOneText = isPlain && results.length === 0 && blocks.length === 1 && only?.cache === undefined;
  return isOneText && text !== undefined ? text : [...results, ...blocks].map((block) => renderBlock(block));
}
