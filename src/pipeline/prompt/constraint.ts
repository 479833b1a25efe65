/** What bounds the form of an answer: one of the ways in which requests say it. */
import { GatewayError } from '../../domain/errors.ts';
import type { ExtraField, GenerationRequest, JsonText } from '../../domain/generation.ts';
import type { OutputConstraint } from '../../domain/token-generation.ts';
import { ExtraFields } from './extra-fields.ts';

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
    ...ofTag(extras.raw('structural_tag')),
    ...ofChoice(extras.texts('guided_choice')),
    ...ofStructured(extras),
    ...ofOwnFormat(extras.raw('response_format')),
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

/** vLLM's one place for all of them; its `json` has become the response format, unless it stands beside others. */
function ofStructured(extras: ExtraFields): OutputConstraint[] {
  const json = extras.raw('structured_outputs');
  if (json === undefined) return [];
  const members = new ExtraFields(membersOf(json));
  const schema = members.raw('json');
  const found = [
    ...(schema === undefined ? [] : [{ kind: 'json_schema' as const, text: textIn(schema) }]),
    ...ofField('regex', members, 'regex'),
    ...ofField('ebnf', members, 'grammar'),
    ...ofTag(members.raw('structural_tag')),
    ...ofChoice(members.texts('choice')),
    ...(members.flag('json_object') === true ? ofFormat({ type: 'json_object' }) : []),
  ];
  if (found.length > 0) return found;
  const text = '`structured_outputs` must have a form of the output that is known.';
  throw new GatewayError('invalid_request', text, { param: 'structured_outputs' });
}

/** The members of an object, each as it was written. */
function membersOf(json: JsonText): ExtraField[] {
  const value: unknown = JSON.parse(json);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).map(([name, member]) => ({ origin: '', name, json: JSON.stringify(member) }));
}

/** A form that only engines have: `structural_tag`, as SGLang and vLLM take it. */
function ofOwnFormat(json: JsonText | undefined): OutputConstraint[] {
  if (json === undefined) return [];
  const type: unknown = membersOf(json).find(({ name }) => name === 'type')?.json;
  if (type === '"structural_tag"') return [{ kind: 'structural_tag', text: json }];
  throw new GatewayError('invalid_request', '`response_format` is of no type that is known.', {
    param: 'response_format',
  });
}

/** An object, or its text. */
function ofTag(json: JsonText | undefined): OutputConstraint[] {
  if (json === undefined) return [];
  return [{ kind: 'structural_tag', text: textIn(json) }];
}

function textIn(json: JsonText): string {
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}

function ofChoice(choices: readonly string[] | undefined): OutputConstraint[] {
  if (choices === undefined) return [];
  const text = choices.map((choice) => choice.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|');
  return [{ kind: 'regex', text: `(${text})` }];
}
