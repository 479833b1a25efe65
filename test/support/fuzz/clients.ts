/** The client APIs, each with the writer of its bodies. */
import type { Codec } from '../../../src/protocols/hub/codec.ts';
import type { Json } from './marks.ts';
import type { ConversationPlan } from './plan.ts';
import { codecOf } from './targets.ts';
import { writeChat } from './write-chat.ts';
import { writeGemini } from './write-gemini.ts';
import { writeMessages } from './write-messages.ts';
import { writeResponses } from './write-responses.ts';

export interface FuzzClient {
  readonly name: 'chat' | 'messages' | 'responses' | 'gemini';
  readonly codec: Codec;
  write(plan: ConversationPlan): Json;
}

export const FUZZ_CLIENTS: readonly FuzzClient[] = [
  { name: 'chat', codec: codecOf('openai-chat'), write: writeChat },
  { name: 'messages', codec: codecOf('anthropic-messages'), write: writeMessages },
  { name: 'responses', codec: codecOf('openai-responses'), write: writeResponses },
  { name: 'gemini', codec: codecOf('gemini'), write: writeGemini },
];
