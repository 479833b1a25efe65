/** One call as the hub has it: decoded once, encoded once for each kind of target, both kept for retries. */
import type { Call } from '../../domain/call.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationRequest } from '../../domain/generation.ts';
import type { FetchedMedia } from '../../domain/ports.ts';
import { completeResults } from '../../protocols/hub/complete-results.ts';
import type { Codec, DecodedRequest, EncodedRequest, EncodeTarget } from '../../protocols/hub/codec.ts';

export class TranslatedCall {
  /** What was fetched for it. */
  readonly media = new Map<string, FetchedMedia>();
  readonly #call: Call;
  readonly #codec: Codec;
  #decoded: DecodedRequest | GatewayError | undefined;
  /** By target; a call has few attempts, so this is small. */
  readonly #encoded = new Map<string, EncodedRequest | GatewayError>();

  constructor(call: Call, codec: Codec) {
    this.#call = call;
    this.#codec = codec;
  }

  /** Throws `invalid_json` or `invalid_request`. */
  get decoded(): DecodedRequest {
    this.#decoded ??= caught(() => {
      const read = this.#codec.decodeRequest(this.#call.body, {
        model: this.#call.modelSpans.length > 0 ? undefined : this.#call.model,
        isStream: this.#call.stream,
        headers: this.#call.headers,
      });
      const { request, warnings } = completeResults(read.request);
      return { request, warnings: [...read.warnings, ...warnings] };
    });
    if (this.#decoded instanceof GatewayError) throw this.#decoded;
    return this.#decoded;
  }

  /** `prepare` changes the request for this target before it is written. Throws what the target's encoder throws. */
  encodeFor(
    codec: Codec,
    target: EncodeTarget,
    prepare: (request: GenerationRequest) => GenerationRequest,
  ): EncodedRequest {
    const key = `${codec.protocol}|${target.provider?.name ?? ''}|${target.maxOutputTokens ?? ''}|${target.model}`;
    let encoded = this.#encoded.get(key);
    if (!encoded) {
      const { request, warnings } = this.decoded;
      encoded = caught(() => {
        const written = codec.encodeRequest(prepare(request), target);
        return { body: written.body, warnings: [...warnings, ...written.warnings] };
      });
      this.#encoded.set(key, encoded);
    }
    if (encoded instanceof GatewayError) throw encoded;
    return encoded;
  }
}

/** A client's error is kept like a result; a fault of the gateway is none and goes on. */
function caught<T>(make: () => T): T | GatewayError {
  try {
    return make();
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown;
    throw thrown;
  }
}
