/**
 * How an engine is bound where a model answers in Harmony: by structural tags, because a schema for the whole answer
 * would forbid the headers of its messages.
 * Source: XGrammar, "Structural Tag"; OpenAI, "Harmony response format", tool calls and structured output.
 */
import type { FunctionTool, JsonText } from '../../../domain/generation.ts';
import type { OutputConstraint } from '../../../domain/token-generation.ts';

const NO_ARGUMENTS = '{"type":"object","properties":{}}';
const COMMENTARY = '<|channel|>commentary';
const NEXT = '<|start|>assistant';
const ANALYSIS = '<|channel|>analysis';
const FINAL = '<|channel|>final';

interface Tags {
  readonly triggers: readonly string[];
  readonly tags: readonly JsonText[];
  /** The answer begins with one of them. */
  readonly isObligatory: boolean;
  readonly isAlone: boolean;
}

function triggered({ triggers, tags, isObligatory, isAlone }: Tags): JsonText {
  const habits = `"at_least_one":${isObligatory},"stop_after_first":${isAlone}`;
  return `{"format":{"type":"triggered_tags","triggers":${JSON.stringify(triggers)},"tags":[${tags.join(',')}],${habits}}}`;
}

function tagOf(begin: string, content: JsonText, end: string): JsonText {
  return `{"begin":${JSON.stringify(begin)},"content":${content},"end":${JSON.stringify(end)}}`;
}

/** A call of one of the tools, at once or as another message; one alone where a tool is named. */
export function harmonyCallTag(tools: readonly FunctionTool[], isNamed: boolean): JsonText {
  const tags = [COMMENTARY, NEXT + COMMENTARY].flatMap((begin) =>
    tools.map(({ name, schemaText }) => {
      const content = `{"type":"json_schema","json_schema":${schemaText ?? NO_ARGUMENTS}}`;
      return tagOf(`${begin} to=functions.${name}<|constrain|>json<|message|>`, content, '');
    }),
  );
  return triggered({ triggers: [NEXT + COMMENTARY, COMMENTARY], tags, isObligatory: true, isAlone: isNamed });
}

/** Thoughts are free, the final message is bound. With tools the model may call one in place of it. */
export function boundAnswer(constraint: OutputConstraint, hasTools: boolean): OutputConstraint {
  const content = contentOf(constraint);
  if (content === undefined) return constraint;
  const type = constraint.kind === 'json_schema' ? '<|constrain|>json' : '';
  const tags = [
    tagOf(`${FINAL}${type}<|message|>`, content, ''),
    tagOf(`${ANALYSIS}<|message|>`, '{"type":"any_text"}', '<|end|>'),
  ];
  const text = triggered({ triggers: [ANALYSIS, FINAL], tags, isObligatory: !hasTools, isAlone: false });
  return { kind: 'structural_tag', text };
}

/** Undefined: it is a tag already, whose author knows the format. */
function contentOf({ kind, text }: OutputConstraint): JsonText | undefined {
  switch (kind) {
    case 'json_schema':
      return `{"type":"json_schema","json_schema":${text}}`;
    case 'regex':
      return `{"type":"regex","pattern":${JSON.stringify(text)}}`;
    case 'ebnf':
      return `{"type":"grammar","grammar":${JSON.stringify(text)}}`;
    case 'structural_tag':
      return undefined;
  }
}
