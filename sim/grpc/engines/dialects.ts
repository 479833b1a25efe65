/** The engines by kind. */

import type { GrpcDialect } from '../dialect.ts';
import type { GrpcEngineKind } from '../options.ts';
import { mlx } from './mlx.ts';
import { sglang } from './sglang.ts';
import { tokenspeed } from './tokenspeed.ts';
import { trtllm } from './trtllm.ts';
import { vllm } from './vllm.ts';

/** Every engine's messages. */
export const DIALECTS: Readonly<Record<GrpcEngineKind, GrpcDialect>> = { sglang, vllm, trtllm, mlx, tokenspeed };
