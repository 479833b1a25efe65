/** Statements to closures. Each takes the steps that its expressions were counted for, so that no work is free. */
import type { Body, Expression, ForStatement, FilterExpression, Signature, Statement, Target } from './ast.ts';
import { ExpressionCompiler, frameAt } from './compile-expression.ts';
import type { Site } from './compile-expression.ts';
import { PythonError, TemplateSyntaxError } from './errors.ts';
import { macroFunction } from './macro.ts';
import { str } from './print.ts';
import { BREAK, CONTINUE, Frame, GO_ON, LoopContext, callValue, runtimeError, unpack } from './runtime.ts';
import type { Evaluate, Execute, Flow } from './runtime.ts';
import { BlockScope, FunctionScope, assignedNames } from './scope.ts';
import { listOf } from './sequence.ts';
import { Namespace, Undefined, isTrue } from './values.ts';
import type { Keywords, Value } from './values.ts';
import { readsName } from './walk.ts';

type Assign = (frame: Frame, value: Value) => void;

export class StatementCompiler {
  readonly #expressions = new ExpressionCompiler();

  /** A body in a scope that is open already. */
  body(body: Body, site: Site): Execute {
    const statements = body.map((statement) => this.#statement(statement, site));
    const [first, second] = statements;
    if (first === undefined) return () => GO_ON;
    if (second === undefined) return first;
    return (frame) => {
      for (const statement of statements) {
        const flow = statement(frame);
        if (flow !== GO_ON) return flow;
      }
      return GO_ON;
    };
  }

  /** A body in a scope of its own: what it assigns is gone after it. `declared` was given a value by whom it begins with. */
  #block(body: Body, scope: BlockScope, isSoft: boolean): Execute {
    const entries: { slot: number; outer: Evaluate }[] = [];
    for (const name of assignedNames(body)) {
      if (scope.own(name) !== undefined) continue;
      const { depth, slot } = scope.find(name);
      entries.push({
        outer: (frame) => frameAt(frame, depth).slots[slot] as Value,
        slot: scope.declare(name),
      });
    }
    const run = this.body(body, { scope, isSoft });
    if (entries.length === 0) return run;
    return (frame) => {
      for (const { slot, outer } of entries) frame.slots[slot] = outer(frame);
      return run(frame);
    };
  }

  #inner(scope: BlockScope): BlockScope {
    return new BlockScope(scope.owner, scope);
  }

  /** An expression with what it costs. */
  #counted(expression: Expression, site: Site): { readonly value: Evaluate; readonly cost: number } {
    const before = this.#expressions.nodes;
    const value = this.#expressions.compile(expression, site);
    return { value, cost: 1 + ((this.#expressions.nodes - before) >> 1) };
  }

  #statement(statement: Statement, site: Site): Execute {
    switch (statement.kind) {
      case 'text': {
        const { text } = statement;
        return (frame) => {
          frame.run.spend(1);
          frame.run.emit(text);
          return GO_ON;
        };
      }
      case 'output':
        return this.#output(statement.value, site);
      case 'if':
        return this.#if(statement, { ...site, isSoft: true });
      case 'for':
        return this.#for(statement, site);
      case 'set':
        return this.#set(statement.target, statement.value, site);
      case 'set_block':
        return this.#setBlock(statement, site);
      case 'with':
        return this.#with(statement, site);
      case 'macro': {
        const assign = this.#target({ kind: 'name', name: statement.name }, site);
        const make = this.#macro(statement, site);
        return (frame) => {
          frame.run.spend(1);
          assign(frame, make(frame));
          return GO_ON;
        };
      }
      case 'call_block':
        return this.#callBlock(statement, site);
      case 'filter_block':
        return this.#filterBlock(statement.filter, statement.body, site);
      case 'scope':
        return this.#block(statement.body, this.#inner(site.scope), site.isSoft);
      case 'break':
        return () => BREAK;
      case 'continue':
        return () => CONTINUE;
      case 'missing_template':
        return this.#missing(statement.name, statement.mayMiss, site);
    }
  }

  #output(expression: Expression, site: Site): Execute {
    const { value, cost } = this.#counted(expression, site);
    return (frame) => {
      const { run } = frame;
      run.spend(cost);
      const result = value(frame);
      run.emit(typeof result === 'string' ? result : str(result, run));
      return GO_ON;
    };
  }

  #if(statement: Extract<Statement, { kind: 'if' }>, site: Site): Execute {
    const branches = statement.branches.map(({ test, body }) => ({
      ...this.#counted(test, site),
      body: this.body(body, site),
    }));
    const otherwise = this.body(statement.otherwise, site);
    return (frame) => {
      for (const { value, cost, body } of branches) {
        frame.run.spend(cost);
        if (isTrue(value(frame))) return body(frame);
      }
      return otherwise(frame);
    };
  }

  #set(target: Target, expression: Expression, site: Site): Execute {
    const { value, cost } = this.#counted(expression, site);
    const assign = this.#target(target, site);
    return (frame) => {
      frame.run.spend(cost);
      assign(frame, value(frame));
      return GO_ON;
    };
  }

  #target(target: Target, site: Site): Assign {
    if (target.kind === 'name') return assignName(target.name, site.scope);
    if (target.kind === 'member') return this.#member(target.name, target.attribute, site);
    const targets = target.items.map((item) => this.#target(item, site));
    return (frame, value) => {
      const items = unpack(value, targets.length, frame.run);
      for (const [index, assign] of targets.entries()) assign(frame, items[index] ?? null);
    };
  }

  #member(name: string, attribute: string, site: Site): Assign {
    const owner = this.#expressions.compile({ kind: 'name', name }, site);
    return (frame, value) => {
      const namespace = owner(frame);
      if (!(namespace instanceof Namespace)) throw runtimeError('cannot assign attribute on non-namespace object');
      namespace.set(attribute, value);
    };
  }

  /** What a body writes, as a text. */
  #captured(body: Execute): (frame: Frame) => { readonly text: string; readonly flow: Flow } {
    return (frame) => {
      const { run } = frame;
      const before = run.out;
      run.out = '';
      const flow = body(frame);
      const text = run.out;
      run.out = before;
      run.read(text.length);
      return { text, flow };
    };
  }

  #setBlock(statement: Extract<Statement, { kind: 'set_block' }>, site: Site): Execute {
    const inner = this.#inner(site.scope);
    const captured = this.#captured(this.#block(statement.body, inner, site.isSoft));
    const assign = this.#target(statement.target, site);
    const { change, holder } = this.#blockFilter(statement.filter, { ...site, scope: inner });
    return (frame) => {
      frame.run.spend(1);
      const { text, flow } = captured(frame);
      frame.slots[holder] = text;
      assign(frame, change(frame));
      return flow;
    };
  }

  #filterBlock(filter: FilterExpression, body: Body, site: Site): Execute {
    const inner = this.#inner(site.scope);
    const captured = this.#captured(this.#block(body, inner, site.isSoft));
    const { change, holder } = this.#blockFilter(filter, { ...site, scope: inner });
    return (frame) => {
      frame.run.spend(1);
      const { text, flow } = captured(frame);
      frame.slots[holder] = text;
      frame.run.emit(str(change(frame), frame.run));
      return flow;
    };
  }

  /** Filters over a text that is put into a slot of its own first. */
  #blockFilter(filter: FilterExpression | undefined, site: Site): { change: Evaluate; holder: number } {
    const holder = site.scope.owner.take();
    const input: Evaluate = (frame) => frame.slots[holder] ?? '';
    return { change: filter === undefined ? input : this.#expressions.blockFilter(filter, input, site), holder };
  }

  #with(statement: Extract<Statement, { kind: 'with' }>, site: Site): Execute {
    const inner = this.#inner(site.scope);
    const values = statement.values.map((value) => this.#counted(value, site));
    for (const target of statement.targets) declareTarget(target, inner);
    const targets = statement.targets.map((target) => this.#target(target, { ...site, scope: inner }));
    const body = this.#block(statement.body, inner, site.isSoft);
    return (frame) => {
      for (const [index, assign] of targets.entries()) {
        const counted = values[index];
        if (counted === undefined) continue;
        frame.run.spend(counted.cost);
        assign(frame, counted.value(frame));
      }
      return body(frame);
    };
  }

  #for(statement: ForStatement, site: Site): Execute {
    const { value, cost } = this.#counted(statement.iterable, site);
    const otherwise = this.#block(statement.otherwise, this.#inner(site.scope), site.isSoft);
    if (!statement.isRecursive) {
      const loop = this.#loop(statement, { ...site, scope: this.#inner(site.scope) });
      return (frame) => {
        frame.run.spend(cost);
        return loop(frame, value(frame), 0, undefined) ? GO_ON : otherwise(frame);
      };
    }
    const owner = new FunctionScope(site.scope);
    const scope = new BlockScope(owner, undefined);
    const loop = this.#loop(statement, { ...site, scope });
    const recurse = (outer: Frame, items: Value, depth: number): boolean => {
      const frame = new Frame(outer.run, owner.slotCount, outer);
      return loop(frame, items, depth, (inner, level) => collect(outer, () => recurse(outer, inner, level)));
    };
    return (frame) => {
      frame.run.spend(cost);
      return recurse(frame, value(frame), 0) ? GO_ON : otherwise(frame);
    };
  }

  /** One loop: false where there was nothing to go through. */
  #loop(statement: ForStatement, site: Site) {
    const { scope } = site;
    const filter = this.#loopFilter(statement, site);
    declareTarget(statement.target, scope);
    const assign = this.#target(statement.target, site);
    const loopSlot = statement.isRecursive || readsName(statement.body, 'loop') ? scope.declare('loop') : undefined;
    const body = this.#block(statement.body, scope, site.isSoft);
    return (
      frame: Frame,
      source: Value,
      depth: number,
      recurse: ((items: Value, depth: number) => Value) | undefined,
    ): boolean => {
      const items = filter(frame, listOf(source, frame.run));
      const loop = loopSlot === undefined ? undefined : new LoopContext(items, depth, recurse);
      for (let index = 0; index < items.length; index += 1) {
        frame.run.spend(1);
        if (loop !== undefined && loopSlot !== undefined) {
          loop.index0 = index;
          frame.slots[loopSlot] = loop;
        }
        assign(frame, items[index] ?? null);
        if (body(frame) === BREAK) break;
      }
      return items.length > 0;
    };
  }

  #loopFilter(statement: ForStatement, site: Site): (frame: Frame, items: readonly Value[]) => readonly Value[] {
    if (statement.test === undefined) return (_frame, items) => items;
    const scope = this.#inner(site.scope);
    declareTarget(statement.target, scope);
    const assign = this.#target(statement.target, { ...site, scope });
    const { value, cost } = this.#counted(statement.test, { ...site, scope });
    return (frame, items) =>
      items.filter((item) => {
        frame.run.spend(cost);
        assign(frame, item);
        return isTrue(value(frame));
      });
  }

  #macro(
    statement: { readonly name: string; readonly signature: Signature; readonly body: Body; readonly line: number },
    site: Site,
  ): (frame: Frame) => Value {
    const { name, signature, body } = statement;
    const { parameters, defaults } = signature;
    const owner = new FunctionScope(site.scope);
    const scope = new BlockScope(owner, undefined);
    for (const parameter of parameters) scope.declare(parameter);
    if (parameters.includes('caller') && parameters.indexOf('caller') < parameters.length - defaults.length)
      throw new TemplateSyntaxError(
        'When defining macros or call blocks the special "caller" argument must be omitted or be given a default.',
        statement.line,
      );
    const special = (word: string): number | undefined =>
      !parameters.includes(word) && readsName(body, word) ? scope.declare(word) : undefined;
    const specials = { caller: special('caller'), keywords: special('kwargs'), varargs: special('varargs') };
    const inner = { scope, isSoft: false };
    const fallbacks = defaults.map((value) => this.#counted(value, inner).value);
    const shape = { name, parameters, fallbacks, specials, body: this.#block(body, scope, false) };
    return (frame) => macroFunction(shape, owner, frame);
  }

  #callBlock(statement: Extract<Statement, { kind: 'call_block' }>, site: Site): Execute {
    const { signature, body, line, call } = statement;
    const make = this.#macro({ name: 'caller', signature, body, line }, site);
    if (call === undefined)
      return (frame) => {
        frame.run.spend(1);
        frame.run.emit(str(callValue(make(frame), frame.run, [], undefined), frame.run));
        return GO_ON;
      };
    const callee = this.#expressions.compile(call.callee, site);
    const { positional, named } = this.#expressions.arguments(call.args, site);
    return (frame) => {
      frame.run.spend(1);
      const keywords: Keywords = new Map([...(named(frame) ?? []), ['caller', make(frame)]]);
      frame.run.emit(str(callValue(callee(frame), frame.run, positional(frame), keywords), frame.run));
      return GO_ON;
    };
  }

  #missing(expression: Expression, mayMiss: boolean, site: Site): Execute {
    const { value } = this.#counted(expression, site);
    return (frame) => {
      const name = value(frame);
      if (name instanceof Undefined) throw name.fail();
      if (mayMiss) return GO_ON;
      throw new PythonError('TypeError', 'no loader for this environment specified');
    };
  }
}

function assignName(name: string, scope: BlockScope): Assign {
  const slot = scope.declare(name);
  return (frame, value) => {
    frame.slots[slot] = value;
  };
}

function declareTarget(target: Target, scope: BlockScope): void {
  if (target.kind === 'name') scope.declare(target.name);
  else if (target.kind === 'tuple') for (const item of target.items) declareTarget(item, scope);
}

/** What is written meanwhile, as a text; deeper only as far as the budget allows. */
function collect(frame: Frame, write: () => unknown): string {
  const { run } = frame;
  const before = run.out;
  run.enter();
  run.out = '';
  write();
  const text = run.out;
  run.out = before;
  run.leave();
  return text;
}
