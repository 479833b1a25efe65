/**
 * Asks a starting engine behind gRPC whether it serves, by the standard grpc.health.v1 that all servers have beside their
 * own services. Owns one short connection per look; the gateway's channels are `backends/grpc`.
 */
import { connect } from 'node:http2';

/** A message without fields, as gRPC frames it: not compressed, no bytes. It asks for the server as a whole. */
const WHOLE_SERVER = Buffer.alloc(5);
const SERVING = Buffer.from([0x08, 1]);
const FRAME_HEAD_BYTES = 5;
/** The server answers, but does not know that service: it is there. */
const UNIMPLEMENTED = '12';

/** True when the engine at `url` (`grpc://host:port`) says that it serves; false when not, or when nothing came in time. */
export function answersGrpcHealth(url: string, stop: AbortSignal, timeoutMs: number): Promise<boolean> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  return new Promise((resolve) => {
    const session = connect(url.replace(/^grpc:/, 'http:'));
    const settle = (isServing: boolean) => {
      resolve(isServing);
      session.destroy();
    };
    // Not listening yet, or gone again: the next look decides.
    session.on('error', () => settle(false));
    session.once('close', () => settle(false));
    if (signal.aborted) settle(false);
    signal.addEventListener('abort', () => settle(false), { once: true });
    const request = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    request.on('error', () => settle(false));
    const parts: Buffer[] = [];
    let status: unknown;
    request.on('response', (headers) => (status = headers['grpc-status'] ?? status));
    request.on('trailers', (trailers) => (status = trailers['grpc-status'] ?? status));
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const message = Buffer.concat(parts).subarray(FRAME_HEAD_BYTES);
      settle(status === UNIMPLEMENTED || (status === '0' && message.equals(SERVING)));
    });
    request.end(WHOLE_SERVER);
  });
}
