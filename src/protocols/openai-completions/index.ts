/** OpenAI text completions: chat's stream mechanics over `choices[].text`. */
import { ChoicesTap } from '../choices-tap.ts';
import type { TextCodec } from '../hub/text-codec.ts';
import { openaiChat } from '../openai-chat/index.ts';
import { promptReader } from '../prompt.ts';
import type { Protocol } from '../protocol.ts';
import { createEncoder, encodeAnswer } from './answer.ts';
import { decodeRequest } from './decode-request.ts';

/** Both ends for workers that take tokens. */
const completionsText: TextCodec = { decodeRequest, createEncoder, encodeAnswer };

export const openaiCompletions: Protocol = {
  ...openaiChat,
  name: 'openai-completions',
  idPrefix: 'cmpl-',
  // Calls reach workers that have the API themselves, or that take tokens.
  codec: undefined,
  text: completionsText,
  ...promptReader({ content: ['prompt', 'suffix'], salt: ['lora_path', 'cache_salt', 'extra_key', 'session_params'] }),
  createTap: () => new ChoicesTap((choice) => typeof choice['text'] === 'string' && choice['text'] !== ''),
};
