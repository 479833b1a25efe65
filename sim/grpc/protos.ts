/**
 * The engines' services as the wire has them, read from the repository's `proto` folder when the first engine starts:
 * messages are plain objects with the names of the schemas, enums are strings, 64-bit numbers are numbers.
 * The only codec here is that of @grpc/proto-loader; nothing is shared with the gateway's.
 */

import type { PackageDefinition, ServiceDefinition } from '@grpc/proto-loader';
import { PROTO_FOLDER } from './assets.ts';

const FILES = [
  'sglang_scheduler.proto',
  'vllm_engine.proto',
  'trtllm_service.proto',
  'mlx_engine.proto',
  'tokenspeed_scheduler.proto',
];

let loaded: Promise<PackageDefinition> | undefined;

/** The definition of one service by its full name. Throws where the schemas do not have it. */
export async function serviceDefinition(name: string): Promise<ServiceDefinition> {
  loaded ??= load();
  const definition = (await loaded)[name];
  if (definition === undefined || 'format' in definition) throw new Error(`${PROTO_FOLDER} has no service ${name}`);
  return definition;
}

async function load(): Promise<PackageDefinition> {
  const { load: loadFiles } = await import('@grpc/proto-loader');
  return loadFiles(FILES, {
    keepCase: true,
    longs: Number,
    enums: String,
    defaults: true,
    arrays: true,
    objects: true,
    oneofs: true,
    includeDirs: [PROTO_FOLDER],
  });
}
