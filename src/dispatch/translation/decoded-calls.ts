/** Calls as the hub has them, each decoded once, however many ways it takes. Owns what is kept of them between attempts. */
import type { Call, ProtocolName } from '../../domain/call.ts';
import type { Protocol } from '../../protocols/protocol.ts';
import { TranslatedCall } from './translated-call.ts';

export class DecodedCalls {
  readonly #protocols: Readonly<Record<ProtocolName, Protocol>>;
  readonly #calls = new WeakMap<Call, TranslatedCall>();

  constructor(protocols: Readonly<Record<ProtocolName, Protocol>>) {
    this.#protocols = protocols;
  }

  /** For a call of an API that has a codec. */
  of(call: Call): TranslatedCall {
    let translated = this.#calls.get(call);
    if (!translated) {
      const { codec, name } = this.#protocols[call.protocol];
      if (!codec) throw new Error(`${name} has no codec, and its call was to be decoded all the same.`);
      translated = new TranslatedCall(call, codec);
      this.#calls.set(call, translated);
    }
    return translated;
  }
}
