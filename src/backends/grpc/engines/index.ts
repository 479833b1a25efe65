/** The engines that take tokens, in the order in which a worker is asked whether it is one of them. */
import { mlx } from './mlx.ts';
import { sglang } from './sglang.ts';
import type { TokenEngine } from './token-engine.ts';
import { tokenspeed } from './tokenspeed.ts';
import { trtllm } from './trtllm.ts';
import { vllm } from './vllm.ts';

export const tokenEngines: readonly TokenEngine[] = [sglang, vllm, trtllm, tokenspeed, mlx];
