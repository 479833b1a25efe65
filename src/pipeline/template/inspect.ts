/**
 * What a template's tree tells about it before anything is rendered: the form of content that it reads, its thinking
 * switch, whether its prompt ends inside of a thought, whether it has a place for tools.
 */
import type { ChatTemplate } from '../../domain/token-model.ts';
import type { Body, Expression, Statement } from './jinja/ast.ts';
import { textOf } from './jinja/values.ts';
import { bodiesOf, expressionsOf, readsName, someExpression, someStatement } from './jinja/walk.ts';

type Facts = Pick<ChatTemplate, 'contentFormat' | 'thinkingToggle' | 'opensThought' | 'takesTools'>;

export function inspectTemplate(tree: Body): Facts {
  return {
    contentFormat: writesChannels(tree) ? 'harmony' : readsParts(tree) && !needsText(tree) ? 'openai' : 'string',
    thinkingToggle: toggleOf(tree),
    opensThought: opensThought(tree),
    takesTools: readsName(tree, 'tools'),
  };
}

function everyStatement(body: Body, visit: (statement: Statement) => void): void {
  for (const statement of body) {
    visit(statement);
    for (const inner of bodiesOf(statement)) everyStatement(inner, visit);
  }
}

const isName = (expression: Expression, name: string): boolean =>
  expression.kind === 'name' && expression.name === name;

/** `message.content`, `m['content']`. */
function isContentMember(expression: Expression): boolean {
  if (expression.kind === 'attribute') return expression.name === 'content';
  return expression.kind === 'item' && expression.key.kind === 'constant' && expression.key.value === 'content';
}

/** Names that stand for content somewhere: assigned from it, or given it as an argument of a macro. */
function contentNames(tree: Body): ReadonlySet<string> {
  const names = new Set<string>();
  everyStatement(tree, (statement) => {
    if (statement.kind === 'set' && statement.target.kind === 'name' && isContent(statement.value, names))
      names.add(statement.target.name);
  });
  const macros = new Map<string, readonly string[]>();
  everyStatement(tree, (statement) => {
    if (statement.kind === 'macro') macros.set(statement.name, statement.signature.parameters);
  });
  const visit = (expression: Expression): boolean => {
    const parameters = calledMacro(expression, macros);
    if (expression.kind === 'call' && parameters !== undefined)
      for (const [index, argument] of expression.args.positional.entries()) {
        const name = parameters[index];
        if (name !== undefined && isContent(argument, names)) names.add(name);
      }
    return false;
  };
  everyStatement(tree, (statement) => {
    for (const expression of expressionsOf(statement)) someExpression(expression, visit);
  });
  return names;
}

function calledMacro(
  expression: Expression,
  macros: ReadonlyMap<string, readonly string[]>,
): readonly string[] | undefined {
  if (expression.kind !== 'call' || expression.callee.kind !== 'name') return undefined;
  return macros.get(expression.callee.name);
}

/** The content itself, whatever filters it went through. */
function isContent(expression: Expression, names: ReadonlySet<string>): boolean {
  if (isContentMember(expression)) return true;
  if (expression.kind === 'name') return names.has(expression.name);
  if (expression.kind === 'filter') return expression.input !== undefined && isContent(expression.input, names);
  if (expression.kind === 'condition')
    return isContent(expression.yes, names) || (expression.no !== undefined && isContent(expression.no, names));
  return expression.kind === 'or' && (isContent(expression.left, names) || isContent(expression.right, names));
}

/** It goes through the parts of content, or takes the first of them. */
function readsParts(tree: Body): boolean {
  const names = contentNames(tree);
  const isFirstPart = (expression: Expression): boolean =>
    expression.kind === 'item' &&
    expression.key.kind === 'constant' &&
    expression.key.value === 0 &&
    isContent(expression.owner, names);
  const isLength = (expression: Expression): boolean =>
    expression.kind === 'filter' &&
    (expression.name === 'length' || expression.name === 'count') &&
    expression.input !== undefined &&
    isContent(expression.input, names);
  return someStatement(
    tree,
    (statement) =>
      (statement.kind === 'for' && isContent(statement.iterable, names)) ||
      expressionsOf(statement).some((expression) =>
        someExpression(expression, (part) => isFirstPart(part) || isLength(part)),
      ),
  );
}

/**
 * It adds the content to a text and asks nowhere what the content is: parts would make it raise, whatever else it goes
 * through (Mistral's templates call a message's tool calls its content).
 */
function needsText(tree: Body): boolean {
  const names = contentNames(tree);
  const someWhere = (isWanted: (expression: Expression) => boolean): boolean =>
    someStatement(tree, (statement) =>
      expressionsOf(statement).some((expression) => someExpression(expression, isWanted)),
    );
  const asksForKind = someWhere(
    (part) => part.kind === 'test' && KIND_TESTS.has(part.name) && isContent(part.input, names),
  );
  const isSum = (part: Expression): boolean =>
    part.kind === 'binary' && part.operator === '+' && (isContentMember(part.left) || isContentMember(part.right));
  return !asksForKind && someWhere(isSum);
}

const KIND_TESTS: ReadonlySet<string> = new Set(['string', 'iterable', 'mapping', 'sequence']);

/** Only Harmony's messages have channels. */
function writesChannels(tree: Body): boolean {
  const isMark = (text: string | undefined): boolean => text?.includes('<|channel|>') === true;
  return someStatement(
    tree,
    (statement) =>
      (statement.kind === 'text' && isMark(statement.text)) ||
      expressionsOf(statement).some((expression) =>
        someExpression(expression, (part) => part.kind === 'constant' && isMark(textOf(part.value))),
      ),
  );
}

/** A thought is opened where the prompt for the answer is written. */
function opensThought(tree: Body): boolean {
  return someStatement(
    tree,
    (statement) =>
      statement.kind === 'if' &&
      statement.branches.some(
        ({ test, body }) => someExpression(test, (part) => isName(part, 'add_generation_prompt')) && writesThink(body),
      ),
  );
}

/** A thought that is closed again at once says that there is none. */
const leavesOpen = (text: string): boolean => text.lastIndexOf('<think>') > text.lastIndexOf('</think>');

function writesThink(body: Body): boolean {
  const isThink = (expression: Expression): boolean =>
    expression.kind === 'constant' && leavesOpen(textOf(expression.value) ?? '');
  return someStatement(
    body,
    (statement) =>
      (statement.kind === 'text' && leavesOpen(statement.text)) ||
      expressionsOf(statement).some((expression) => someExpression(expression, isThink)),
  );
}

function toggleOf(tree: Body): ChatTemplate['thinkingToggle'] {
  if (readsName(tree, 'enable_thinking'))
    return { name: 'enable_thinking', isOnByDefault: !isOffByDefault(tree, 'enable_thinking') };
  if (!switchesOn(tree, 'thinking')) return undefined;
  return { name: 'thinking', isOnByDefault: !isOffByDefault(tree, 'thinking') };
}

/** It stands in a condition, or is given a value. */
function switchesOn(tree: Body, name: string): boolean {
  const isSwitch = (expression: Expression): boolean => isName(expression, name);
  return someStatement(tree, (statement) => {
    if (statement.kind === 'if') return statement.branches.some(({ test }) => someExpression(test, isSwitch));
    if (statement.kind === 'set' && statement.target.kind === 'name' && statement.target.name === name) return true;
    return expressionsOf(statement).some((expression) =>
      someExpression(expression, (part) => part.kind === 'condition' && someExpression(part.test, isSwitch)),
    );
  });
}

/** `set name = false` or `name | default(false)`. */
function isOffByDefault(tree: Body, name: string): boolean {
  const isFalse = (expression: Expression | undefined): boolean =>
    expression?.kind === 'constant' && expression.value === false;
  const isDefaulted = (expression: Expression): boolean =>
    expression.kind === 'filter' &&
    (expression.name === 'default' || expression.name === 'd') &&
    expression.input !== undefined &&
    isName(expression.input, name) &&
    isFalse(expression.args.positional[0]);
  return someStatement(tree, (statement) => {
    if (
      statement.kind === 'set' &&
      statement.target.kind === 'name' &&
      statement.target.name === name &&
      isFalse(statement.value)
    )
      return true;
    return expressionsOf(statement).some((expression) => someExpression(expression, isDefaulted));
  });
}
