/** How a call of each API reaches a worker that takes tokens. */
import type { ProtocolName } from '../../domain/call.ts';
import type { Codec } from '../../protocols/hub/codec.ts';
import type { EmbedCodec, TextCodec } from '../../protocols/hub/text-codec.ts';
import type { UnaryTranslation } from '../../protocols/hub/unary-translation.ts';
import type { Protocol } from '../../protocols/protocol.ts';

interface TokenLanguages {
  readonly protocols: Readonly<Record<ProtocolName, Protocol>>;
  readonly unary: readonly UnaryTranslation[];
}

/** How a protocol reaches workers that take tokens; undefined: not at all. */
export function tokenWayOf(protocol: Protocol, { protocols, unary }: TokenLanguages): TokenWay | undefined {
  const { name, codec, text, embed } = protocol;
  if (codec) return { kind: 'chat', codec };
  if (text) return { kind: 'text', codec: text };
  if (embed) return { kind: 'embed', codec: embed, via: undefined };
  if (name === 'anthropic-count-tokens') return { kind: 'count', generation: protocols['anthropic-messages'] };
  if (name === 'gemini-count-tokens') return { kind: 'count', generation: protocols.gemini };
  const via = unary.find(({ from, to }) => from === name && to === 'openai-embeddings');
  const { embed: other } = protocols['openai-embeddings'];
  return via && other ? { kind: 'embed', codec: other, via } : undefined;
}

export type TokenWay =
  | { readonly kind: 'chat'; readonly codec: Codec }
  | { readonly kind: 'text'; readonly codec: TextCodec }
  | { readonly kind: 'embed'; readonly codec: EmbedCodec; readonly via: UnaryTranslation | undefined }
  | { readonly kind: 'count'; readonly generation: Protocol };
