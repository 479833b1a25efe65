/**
 * What the header of a Harmony message says: role, channel, recipient and type of content, of which only those two in
 * the middle count here. The recipient may stand before the channel or behind it.
 * Source: OpenAI, "Harmony response format" (docs/format.md of openai/harmony).
 */

export interface HarmonyHeader {
  readonly channel: string | undefined;
  /** Undefined: the user. */
  readonly recipient: string | undefined;
}

const CHANNEL = /<\|channel\|>\s*([a-z_]+)/i;
const RECIPIENT = /(?:^|[\s>])to=([^\s<]+)/;

/** `text`: all between the beginning of a message and its `<|message|>`. */
export function readHeader(text: string): HarmonyHeader {
  const recipient = RECIPIENT.exec(text)?.[1];
  return {
    channel: CHANNEL.exec(text)?.[1]?.toLowerCase(),
    recipient: recipient === 'assistant' || recipient === 'user' || recipient === 'all' ? undefined : recipient,
  };
}

export type MessageKind =
  | { readonly kind: 'text' | 'reasoning' }
  | { readonly kind: 'call'; readonly name: string }
  /** A function that nobody has offered. */
  | { readonly kind: 'unknown-call' };

const FUNCTIONS = 'functions.';

/**
 * A recipient decides before the channel does: a function is called on any channel, and what goes to a tool of the
 * model's own (`python`, `browser.*`) is part of its thoughts. A preamble (commentary for nobody in particular) is meant
 * for the user.
 */
export function kindOf(header: HarmonyHeader, isTool: (name: string) => boolean): MessageKind {
  const { channel, recipient } = header;
  if (recipient !== undefined) {
    const isFunction = recipient.startsWith(FUNCTIONS);
    const name = [isFunction ? recipient.slice(FUNCTIONS.length) : recipient, recipient].find(isTool);
    if (name !== undefined) return { kind: 'call', name };
    return { kind: isFunction ? 'unknown-call' : 'reasoning' };
  }
  return { kind: channel === 'analysis' ? 'reasoning' : 'text' };
}
