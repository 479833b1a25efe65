/** Translation between two APIs that answer in one piece and have no hub of their own: embeddings, token counts. */
import type { ProtocolName } from '../../domain/call.ts';
import type { EncodedAnswer, EncodedRequest, EncodeTarget } from './codec.ts';

export interface UnaryTranslation {
  readonly from: ProtocolName;
  readonly to: ProtocolName;
  /** From the client's body to the worker's. Throws `invalid_json` or `invalid_request`. */
  encodeRequest(body: Buffer, target: EncodeTarget): EncodedRequest;
  /** From a good answer of the worker to the client's. Throws `upstream_invalid_answer`. */
  encodeAnswer(body: Buffer, facts: { readonly model: string; readonly requestBody: Buffer }): EncodedAnswer;
}
