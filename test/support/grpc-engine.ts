/** A server on the gRPC library with some methods of one engine's service: what is not there is UNIMPLEMENTED. */
import type { TestContext } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescService, Message, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Metadata, sendUnaryData, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';

/** Thrown by a method to answer with a gRPC status, in the form that the library takes. */
export class StatusError extends Error {
  readonly code: number;
  readonly details: string;

  constructor(code: number, details: string) {
    super(details);
    this.code = code;
    this.details = details;
  }
}

type Methods<Service extends DescService> = {
  readonly [Name in keyof Service['method']]?: (
    request: MessageShape<Service['method'][Name]['input']>,
    metadata: Metadata,
  ) =>
    | MessageInitShape<Service['method'][Name]['output']>
    | readonly MessageInitShape<Service['method'][Name]['output']>[]
    | 'hang';
};

const asIs = { serialize: (bytes: Buffer) => bytes, deserialize: (bytes: Buffer) => bytes };
const CODEC = {
  requestSerialize: asIs.serialize,
  requestDeserialize: asIs.deserialize,
  responseSerialize: asIs.serialize,
  responseDeserialize: asIs.deserialize,
};

/** Its URL. A method that returns a list streams it; one that returns `hang` does not answer. */
export async function grpcEngine<Service extends DescService>(
  t: TestContext,
  service: Service,
  methods: Methods<Service>,
): Promise<string> {
  const server = new Server();
  for (const method of service.methods) {
    const answer = methods[method.localName as keyof Service['method']];
    if (!answer) continue;
    const reply = (call: { readonly request: Buffer; readonly metadata: Metadata }) =>
      answer(fromBinary(method.input, call.request) as never, call.metadata);
    const encode = (message: unknown) =>
      Buffer.from(toBinary(method.output, create(method.output, message as never) as Message));
    const isStream = method.methodKind === 'server_streaming';
    const definition = { path: `/${service.typeName}/${method.name}`, requestStream: false, ...CODEC };
    const unary = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
      try {
        const told = reply(call);
        if (told !== 'hang') done(null, encode(told));
      } catch (thrown) {
        done(thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
    };
    const stream = (call: ServerWritableStream<Buffer, Buffer>) => {
      try {
        const told = reply(call);
        if (told === 'hang') return;
        for (const each of Array.isArray(told) ? told : [told]) call.write(encode(each));
        call.end();
      } catch (thrown) {
        const status = thrown instanceof StatusError ? thrown : new StatusError(13, String(thrown));
        call.emit('error', { code: status.code, details: status.message });
      }
    };
    server.addService(
      { [method.localName]: { ...definition, responseStream: isStream } },
      { [method.localName]: isStream ? stream : unary },
    );
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  t.after(() => server.forceShutdown());
  return `grpc://127.0.0.1:${port}`;
}
