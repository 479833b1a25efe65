/** The hub's request as a `generateContent` body. Source: Gemini API reference, generating content, request body. */
import type { GenerationRequest } from '../../domain/generation.ts';
import type { EncodedRequest, EncodeTarget } from '../hub/codec.ts';
import { jsonBytes } from '../hub/json-text.ts';
import { Warnings } from '../hub/object-reader.ts';
import { encodeConfig } from './encode-config.ts';
import { encodeContents } from './encode-contents.ts';
import { encodeToolConfig, encodeTools } from './encode-tools.ts';
import { sortExtras } from './extra-members.ts';
import { familyOf } from './model-family.ts';

/** The tiers by their names elsewhere; `auto` is what Gemini does by itself. */
const TIERS: Readonly<Record<string, string>> = { default: 'standard', flex: 'flex', priority: 'priority' };

/**
 * Members stand in a fixed order: system, contents, tools, their choice, settings, what only Gemini knows.
 * Throws `invalid_request` for names of functions that Gemini refuses and for results of calls that are not there.
 */
export function encodeRequest(request: GenerationRequest, target: EncodeTarget): EncodedRequest {
  const warnings = new Warnings();
  const family = familyOf(target.model);
  const extras = sortExtras(request.extras, warnings);
  const { systemInstruction, contents } = encodeContents(request, { target, family }, warnings);
  const body = jsonBytes({
    systemInstruction,
    contents,
    tools: encodeTools(request, warnings),
    toolConfig: encodeToolConfig(request, extras.toolConfig, warnings),
    generationConfig: encodeConfig(request, { target, family, extras: extras.generationConfig }, warnings),
    serviceTier: serviceTier(request.serviceTier, warnings),
    ...extras.body,
  });
  return { body, warnings: warnings.list };
}

function serviceTier(tier: string | undefined, warnings: Warnings): string | undefined {
  if (tier === undefined || tier === 'auto') return undefined;
  if (!Object.hasOwn(TIERS, tier)) warnings.lost('service_tier', 'is not known to Gemini');
  return Object.hasOwn(TIERS, tier) ? TIERS[tier] : undefined;
}
