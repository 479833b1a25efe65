/** Methods of generated services as the channel takes them, and the same ones between types of our own. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { RpcMethod } from './rpc.ts';

/** Nobody reads what a newer engine says beyond the fields that we know. */
const READING = { readUnknownFields: false };

/**
 * By the generated codec. `bytes` fields of what it decodes are views of what was received: whoever wants one longer than
 * the decoding copies it.
 */
export function rpcMethod<I extends DescMessage, O extends DescMessage>(
  method: DescMethod & { input: I; output: O },
): RpcMethod<MessageInitShape<I>, MessageShape<O>> {
  return {
    path: pathOf(method),
    encode: (message) => toBinary(method.input, create(method.input, message)),
    decode: (bytes) => fromBinary(method.output, bytes, READING),
  };
}

export function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}

/** The method with our own types at both ends. */
export function between<In, Out, WireIn, WireOut>(
  method: RpcMethod<WireIn, WireOut>,
  encode: (message: In) => WireIn,
  decode: (message: WireOut) => Out,
): RpcMethod<In, Out> {
  return {
    path: method.path,
    encode: (message) => method.encode(encode(message)),
    decode: (bytes) => decode(method.decode(bytes)),
  };
}
