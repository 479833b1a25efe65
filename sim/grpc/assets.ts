/** Where the files are that gRPC engines read at run time: the protocol's schemas and the shipped tokenizer. */

import { fileURLToPath } from 'node:url';

/** From this folder to the package's root: built files lie one folder deeper. */
const ROOT = new URL(import.meta.url.endsWith('.ts') ? '../../' : '../../../', import.meta.url);

/** The folder of the `.proto` files. */
export const PROTO_FOLDER = fileURLToPath(new URL('proto', ROOT));

/** A small but real tokenizer with everything that a model's folder has beside it. */
export const DEFAULT_TOKENIZER_PATH = fileURLToPath(new URL('sim/grpc/tokenizer', ROOT));
