/**
 * How an engine is made to call tools: a JSON schema of the calls, or, for formats whose marks a grammar can hold, a
 * structural tag, after which the model writes calls in its own way. Nothing is bound where the model may choose.
 * Source: XGrammar, "Structural Tag" (`triggered_tags`, `tags_with_separator`); JSON Schema 2020-12, `$defs`.
 */
import { GatewayError } from '../../domain/errors.ts';
import type { FunctionTool, JsonText, ToolChoice } from '../../domain/generation.ts';
import type { OutputConstraint } from '../../domain/token-generation.ts';
import { harmonyCallTag } from './harmony/constraint.ts';

const NO_ARGUMENTS = '{"type":"object","properties":{}}';

/**
 * `tools`: those that may be called. `format`: the one that the engine may be bound to by its very words: one that the
 * operator has named, or Harmony, which cannot be left out. Throws `invalid_request` for schemas whose definitions contradict one another.
 */
export function toolConstraint(
  tools: readonly FunctionTool[],
  choice: ToolChoice | undefined,
  format: string | undefined,
): OutputConstraint | undefined {
  if (choice?.mode !== 'required' && choice?.mode !== 'named') return undefined;
  const allowed = choice.names.length > 0 ? tools.filter(({ name }) => choice.names.includes(name)) : tools;
  const [first] = allowed;
  if (!first) return undefined;
  const tag = format === undefined ? undefined : TAGS.get(format);
  if (tag) return { kind: 'structural_tag', text: tag(allowed, choice.mode === 'named') };
  const text = choice.mode === 'named' ? (first.schemaText ?? NO_ARGUMENTS) : schemaOfCalls(allowed);
  return { kind: 'json_schema', text };
}

function schemaOfCalls(tools: readonly FunctionTool[]): JsonText {
  const definitions = new Map<string, JsonText>();
  const items = tools.map(({ name, schemaText = NO_ARGUMENTS }) => {
    const schema = withoutDefinitions(name, schemaText, definitions);
    const members = `{"name":{"type":"string","enum":[${JSON.stringify(name)}]},"parameters":${schema}}`;
    return `{"properties":${members},"required":["name","parameters"]}`;
  });
  const merged = [...definitions].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',');
  const end = definitions.size === 0 ? '' : `,"$defs":{${merged}}`;
  return `{"type":"array","minItems":1,"items":{"type":"object","anyOf":[${items.join(',')}]}${end}}`;
}

/** References begin at the root of a schema: what a tool's schema defines moves there. */
function withoutDefinitions(tool: string, schemaText: JsonText, definitions: Map<string, JsonText>): JsonText {
  const schema: unknown = JSON.parse(schemaText);
  if (typeof schema !== 'object' || schema === null || !('$defs' in schema)) return schemaText;
  const { $defs, ...rest } = schema;
  for (const [name, definition] of Object.entries($defs ?? {})) {
    const text = JSON.stringify(definition);
    const known = definitions.get(name);
    if (known !== undefined && known !== text) throw contradiction(tool, name);
    definitions.set(name, text);
  }
  return JSON.stringify(rest);
}

function contradiction(tool: string, name: string): GatewayError {
  const text = `The schema of the tool \`${tool}\` defines \`${name}\` otherwise than another tool's schema does.`;
  return new GatewayError('invalid_request', text, { param: 'tools' });
}

function contentOf({ schemaText }: FunctionTool): JsonText {
  return `{"type":"json_schema","json_schema":${schemaText ?? NO_ARGUMENTS}}`;
}

function triggered(triggers: readonly string[], tags: readonly JsonText[]): JsonText {
  const format = `"triggers":${JSON.stringify(triggers)},"tags":[${tags.join(',')}],"at_least_one":true`;
  return `{"format":{"type":"triggered_tags",${format}}}`;
}

function tagOf(begin: string, content: JsonText, end: string): JsonText {
  return `{"begin":${JSON.stringify(begin)},"content":${content},"end":${JSON.stringify(end)}}`;
}

function mistralTag(tools: readonly FunctionTool[]): JsonText {
  const calls = tools.map((tool) =>
    tagOf(`{"name": ${JSON.stringify(tool.name)}, "arguments": `, contentOf(tool), '}'),
  );
  const list = `{"type":"tags_with_separator","tags":[${calls.join(',')}],"separator":", ","at_least_one":true}`;
  return triggered(['[TOOL_CALLS]'], [tagOf('[TOOL_CALLS] [', list, ']')]);
}

const KIMI_SECTION = '<|tool_calls_section_begin|>';
const KIMI_CALL = '<|tool_call_begin|>';

function kimiTag(tools: readonly FunctionTool[]): JsonText {
  const tags = tools.flatMap((tool, index) => {
    const begin = `${KIMI_CALL}functions.${tool.name}:${index}<|tool_call_argument_begin|>`;
    const content = contentOf(tool);
    return [KIMI_SECTION + begin, begin].map((text) => tagOf(text, content, '<|tool_call_end|>'));
  });
  return triggered([KIMI_SECTION, KIMI_CALL], tags);
}

const TAGS: ReadonlyMap<string, (tools: readonly FunctionTool[], isNamed: boolean) => JsonText> = new Map([
  ['harmony', harmonyCallTag],
  ['mistral', mistralTag],
  ['kimik2', kimiTag],
]);
