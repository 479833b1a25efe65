/** The engines that are recognised. */
import type { EngineProfile } from './engine-profile.ts';
import { llamaCpp } from './llama-cpp.ts';
import { mlx } from './mlx.ts';
import { ollama } from './ollama.ts';
import { sglang } from './sglang.ts';
import { trtllm } from './trtllm.ts';
import { vllm } from './vllm.ts';

export { external } from './external.ts';
export { openaiCompatible } from './openai-compatible.ts';

export const engineProfiles: readonly EngineProfile[] = [sglang, vllm, trtllm, llamaCpp, ollama, mlx];
