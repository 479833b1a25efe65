/** Goes through a tree; for questions about a template that need no render. */
import type { Arguments, Body, Expression, Statement } from './ast.ts';

/** The expressions that stand directly in one. */
export function partsOf(expression: Expression): readonly (Expression | undefined)[] {
  switch (expression.kind) {
    case 'list':
    case 'tuple':
    case 'concat':
      return expression.items;
    case 'dict':
      return expression.pairs.flat();
    case 'unary':
    case 'not':
      return [expression.operand];
    case 'binary':
    case 'and':
    case 'or':
      return [expression.left, expression.right];
    case 'compare':
      return [expression.left, ...expression.links.map((link) => link.right)];
    case 'condition':
      return [expression.test, expression.yes, expression.no];
    case 'attribute':
      return [expression.owner];
    case 'item':
      return [expression.owner, expression.key];
    case 'slice':
      return [expression.start, expression.stop, expression.step];
    case 'call':
      return [expression.callee, ...partsOfArguments(expression.args)];
    case 'filter':
    case 'test':
      return [expression.input, ...partsOfArguments(expression.args)];
    default:
      return [];
  }
}

const partsOfArguments = (args: Arguments): readonly (Expression | undefined)[] => [
  ...args.positional,
  ...args.named.map(([, value]) => value),
  args.spread,
  args.spreadNamed,
];

/** Whether it, or anything in it, is of this kind. */
export function someExpression(root: Expression | undefined, isWanted: (expression: Expression) => boolean): boolean {
  if (root === undefined) return false;
  return isWanted(root) || partsOf(root).some((part) => someExpression(part, isWanted));
}

/** The expressions that stand directly in a statement. */
export function expressionsOf(statement: Statement): readonly (Expression | undefined)[] {
  switch (statement.kind) {
    case 'output':
    case 'set':
      return [statement.value];
    case 'if':
      return statement.branches.map((branch) => branch.test);
    case 'for':
      return [statement.iterable, statement.test];
    case 'set_block':
    case 'filter_block':
      return [statement.filter];
    case 'with':
      return statement.values;
    case 'macro':
      return statement.signature.defaults;
    case 'call_block':
      return [statement.call, ...statement.signature.defaults];
    case 'missing_template':
      return [statement.name];
    default:
      return [];
  }
}

/** The bodies that stand directly in a statement. */
export function bodiesOf(statement: Statement): readonly Body[] {
  if (statement.kind === 'if') return [...statement.branches.map((branch) => branch.body), statement.otherwise];
  if (statement.kind === 'for') return [statement.body, statement.otherwise];
  return 'body' in statement ? [statement.body] : [];
}

export function someStatement(body: Body, isWanted: (statement: Statement) => boolean): boolean {
  return body.some(
    (statement) => isWanted(statement) || bodiesOf(statement).some((inner) => someStatement(inner, isWanted)),
  );
}

/** Whether a name is read anywhere in a body, inner functions included. */
export function readsName(body: Body, name: string): boolean {
  const isName = (expression: Expression): boolean => expression.kind === 'name' && expression.name === name;
  return someStatement(body, (statement) =>
    expressionsOf(statement).some((expression) => someExpression(expression, isName)),
  );
}
