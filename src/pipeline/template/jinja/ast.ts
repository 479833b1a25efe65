/** What a template is made of. Lines are those of the source, from 1. */
import type { Order } from './compare.ts';
import type { Arithmetic } from './numbers.ts';
import type { Value } from './values.ts';

export interface Arguments {
  readonly positional: readonly Expression[];
  readonly named: readonly (readonly [string, Expression])[];
  readonly spread: Expression | undefined;
  readonly spreadNamed: Expression | undefined;
}

export type Comparison = '==' | '!=' | Order | 'in' | 'not in';

export type Expression =
  | { readonly kind: 'constant'; readonly value: Value }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'list' | 'tuple'; readonly items: readonly Expression[] }
  | { readonly kind: 'dict'; readonly pairs: readonly (readonly [Expression, Expression])[] }
  | { readonly kind: 'unary'; readonly operator: '+' | '-'; readonly operand: Expression }
  | { readonly kind: 'not'; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: Arithmetic;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'concat'; readonly items: readonly Expression[] }
  | {
      readonly kind: 'compare';
      readonly left: Expression;
      readonly links: readonly { readonly operator: Comparison; readonly right: Expression }[];
    }
  | {
      readonly kind: 'condition';
      readonly test: Expression;
      readonly yes: Expression;
      readonly no: Expression | undefined;
    }
  | { readonly kind: 'attribute'; readonly owner: Expression; readonly name: string }
  | { readonly kind: 'item'; readonly owner: Expression; readonly key: Expression }
  | {
      readonly kind: 'slice';
      readonly start: Expression | undefined;
      readonly stop: Expression | undefined;
      readonly step: Expression | undefined;
    }
  | { readonly kind: 'call'; readonly callee: Expression; readonly args: Arguments }
  | FilterExpression
  | {
      readonly kind: 'test';
      readonly name: string;
      readonly input: Expression;
      readonly args: Arguments;
      readonly line: number;
    };

export interface FilterExpression {
  readonly kind: 'filter';
  readonly name: string;
  /** Undefined: the text of the block that it stands at. */
  readonly input: Expression | undefined;
  readonly args: Arguments;
  readonly line: number;
}

export type Target =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'member'; readonly name: string; readonly attribute: string }
  | { readonly kind: 'tuple'; readonly items: readonly Target[] };

export interface Signature {
  readonly parameters: readonly string[];
  /** Of the last parameters. */
  readonly defaults: readonly Expression[];
}

export type Body = readonly Statement[];

export type Statement =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly value: Expression }
  | {
      readonly kind: 'if';
      readonly branches: readonly { readonly test: Expression; readonly body: Body }[];
      readonly otherwise: Body;
    }
  | ForStatement
  | { readonly kind: 'set'; readonly target: Target; readonly value: Expression }
  | {
      readonly kind: 'set_block';
      readonly target: Target;
      readonly filter: FilterExpression | undefined;
      readonly body: Body;
    }
  | {
      readonly kind: 'with';
      readonly targets: readonly Target[];
      readonly values: readonly Expression[];
      readonly body: Body;
    }
  | MacroStatement
  | {
      readonly kind: 'call_block';
      /** Undefined: the generation tag, which only writes its body. */
      readonly call: Extract<Expression, { kind: 'call' }> | undefined;
      readonly signature: Signature;
      readonly body: Body;
      readonly line: number;
    }
  | { readonly kind: 'filter_block'; readonly filter: FilterExpression; readonly body: Body }
  | { readonly kind: 'scope'; readonly body: Body }
  | { readonly kind: 'break' | 'continue'; readonly line: number }
  /** Another template is asked for: there is none, and the render fails where it comes to this. */
  | {
      readonly kind: 'missing_template';
      readonly name: Expression;
      readonly mayMiss: boolean;
      readonly stores: readonly string[];
    };

export interface ForStatement {
  readonly kind: 'for';
  readonly target: Target;
  readonly iterable: Expression;
  readonly test: Expression | undefined;
  readonly isRecursive: boolean;
  readonly body: Body;
  readonly otherwise: Body;
  readonly line: number;
}

export interface MacroStatement {
  readonly kind: 'macro';
  readonly name: string;
  readonly signature: Signature;
  readonly body: Body;
  readonly line: number;
}
