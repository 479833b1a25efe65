/** What the writers of one request share: for whom it is, and where losses are told. */
import { ENGINE_CHAT } from '../../domain/providers/chat-traits.ts';
import type { ChatModelRule, ChatTraits } from '../../domain/providers/provider.ts';
import type { ThoughtOrigin } from '../../domain/generation.ts';
import type { EncodeTarget } from '../hub/codec.ts';
import type { Warnings } from '../hub/object-reader.ts';

export interface Writing {
  readonly target: EncodeTarget;
  readonly traits: ChatTraits;
  /** What is known of the model. */
  readonly rule: ChatModelRule | undefined;
  /** Whose signatures the target takes. */
  readonly origin: ThoughtOrigin | undefined;
  readonly warnings: Warnings;
}

export function traitsOf({ provider }: EncodeTarget): ChatTraits {
  return provider ? provider.chat : ENGINE_CHAT;
}

export function startWriting(target: EncodeTarget, warnings: Warnings): Writing {
  const traits = traitsOf(target);
  const rule = traits.models.find(({ models }) => models.test(target.model));
  return { target, traits, rule, origin: target.provider?.thoughts, warnings };
}

/** How the target is called in warnings. */
export function titleOf({ target }: Writing): string {
  return target.provider?.title ?? 'a self-hosted engine';
}

/** OpenAI itself shows no thoughts in chat completions. */
export function showsThoughts({ origin }: Writing): boolean {
  return origin !== 'openai';
}
