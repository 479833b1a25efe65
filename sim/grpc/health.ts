/** The standard health service (grpc.health.v1), which the real servers have beside their own for Kubernetes' probes. */

import type { ServiceDefinition } from '@grpc/proto-loader';

/** Full name of the service. */
export const HEALTH_SERVICE = 'grpc.health.v1.Health';

const SERVING = 1;
const NOT_SERVING = 2;

/** The service with a codec of its own: a name in, one small number out. */
export function healthDefinition(): ServiceDefinition {
  const codec = {
    requestStream: false,
    responseStream: false,
    requestSerialize: ({ service }: { service: string }) => encodeName(service),
    requestDeserialize: (bytes: Buffer) => ({ service: bytes.subarray(2).toString() }),
    responseSerialize: ({ status }: { status: string }) =>
      Buffer.from([0x08, status === 'SERVING' ? SERVING : NOT_SERVING]),
    responseDeserialize: (bytes: Buffer) => ({ status: bytes[1] === SERVING ? 'SERVING' : 'NOT_SERVING' }),
  };
  return { Check: { ...codec, path: `/${HEALTH_SERVICE}/Check` } } as unknown as ServiceDefinition;
}

function encodeName(name: string): Buffer {
  return name === '' ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), Buffer.from(name)]);
}
