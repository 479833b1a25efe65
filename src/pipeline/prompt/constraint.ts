/** What bounds the form of an answer: one of the ways in which requests say it. */
import { GatewayError } from '../../domain/errors.ts';
import type { GenerationRequest } from '../../domain/generation.ts';
import type { OutputConstraint } from '../../domain/token-generation.ts';
import type { ExtraFields } from './extra-fields.ts';

/** Throws `invalid_request` for more than one. */
export function readConstraint(
  { responseFormat }: Pick<GenerationRequest, 'responseFormat'>,
  extras: ExtraFields,
): OutputConstraint | undefined {
  const found = [
    ...ofFormat(responseFormat),
    ...ofField('regex', extras, 'regex'),
    ...ofField('regex', extras, 'guided_regex'),
    ...ofField('ebnf', extras, 'ebnf'),
    ...ofField('ebnf', extras, 'guided_grammar'),
    ...ofTag(extras),
    ...ofChoice(extras.texts('guided_choice')),
  ];
  if (found.length > 1)
    throw new GatewayError('invalid_request', 'The form of the answer is bound in more than one way.', {
      param: 'response_format',
    });
  extras.ignore('guided_decoding_backend');
  return found[0];
}

function ofFormat(format: GenerationRequest['responseFormat']): OutputConstraint[] {
  if (format === undefined || format.type === 'text') return [];
  const text = format.type === 'json_object' ? '{"type":"object"}' : (format.schemaText ?? '{}');
  return [{ kind: 'json_schema', text }];
}

function ofField(kind: OutputConstraint['kind'], extras: ExtraFields, name: string): OutputConstraint[] {
  const text = extras.text(name);
  return text === undefined ? [] : [{ kind, text }];
}

/** An object, or its text. */
function ofTag(extras: ExtraFields): OutputConstraint[] {
  const json = extras.raw('structural_tag');
  if (json === undefined) return [];
  return [{ kind: 'structural_tag', text: json.startsWith('"') ? (JSON.parse(json) as string) : json }];
}

function ofChoice(choices: readonly string[] | undefined): OutputConstraint[] {
  if (choices === undefined) return [];
  const text = choices.map((choice) => choice.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|');
  return [{ kind: 'regex', text: `(${text})` }];
}
