/** Does a prompt, with the answer that it may get, fit the model's context? */
import { GatewayError } from '../../domain/errors.ts';

export interface Fit {
  readonly promptTokens: number;
  /** Undefined: as many as there is room for. */
  readonly maxTokens: number | undefined;
  /** Undefined: nobody knows. */
  readonly contextLength: number | undefined;
}

/** Throws `context_length_exceeded` with the numbers. */
export function checkContext({ promptTokens, maxTokens, contextLength }: Fit): void {
  if (contextLength === undefined) return;
  const wanted = maxTokens ?? 1;
  if (promptTokens + wanted <= contextLength) return;
  const asked = maxTokens === undefined ? '' : ` and ${maxTokens} more are asked for in the answer`;
  const text = `The context of the model has ${contextLength} tokens; the prompt has ${promptTokens}${asked}.`;
  throw new GatewayError('context_length_exceeded', text, {
    param: maxTokens === undefined ? 'messages' : 'max_tokens',
  });
}
