/** OpenAI text completions: chat's stream mechanics over `choices[].text`. */
import { ChoicesTap } from '../choices-tap.ts';
import { openaiChat } from '../openai-chat/index.ts';
import { promptReader } from '../prompt.ts';
import type { Protocol } from '../protocol.ts';

export const openaiCompletions: Protocol = {
  ...openaiChat,
  name: 'openai-completions',
  idPrefix: 'cmpl-',
  // Calls reach workers that have the API themselves.
  codec: undefined,
  ...promptReader({ content: ['prompt', 'suffix'], salt: ['lora_path', 'cache_salt', 'extra_key', 'session_params'] }),
  createTap: () => new ChoicesTap((choice) => typeof choice['text'] === 'string' && choice['text'] !== ''),
};
