/** Macros: functions that are written in the template, and that give what they write. */
import { typeError } from './errors.ts';
import { Frame } from './runtime.ts';
import type { Evaluate, Execute } from './runtime.ts';
import type { FunctionScope } from './scope.ts';
import { PyDict, PyFunction, PyTuple, Undefined } from './values.ts';
import type { Keywords, Value } from './values.ts';

interface MacroShape {
  readonly name: string;
  readonly parameters: readonly string[];
  /** Of the last parameters. */
  readonly fallbacks: readonly Evaluate[];
  /** Slots of `caller`, `kwargs` and `varargs`, where the body asks for them. */
  readonly specials: {
    readonly caller: number | undefined;
    readonly keywords: number | undefined;
    readonly varargs: number | undefined;
  };
  readonly body: Execute;
}

class Macro extends PyFunction {
  override readonly typeName = 'Macro';
  readonly parameters: readonly string[];

  constructor(name: string, parameters: readonly string[], invoke: PyFunction['invoke']) {
    super(name, invoke);
    this.parameters = parameters;
  }

  override attribute(name: string): Value | undefined {
    return name === 'arguments' ? new PyTuple(this.parameters) : undefined;
  }
}

/** The macro as the place that defines it sees it: `outer` holds the variables around it. */
export function macroFunction(shape: MacroShape, owner: FunctionScope, outer: Frame): PyFunction {
  return new Macro(shape.name, shape.parameters, (_budget, args, keywords) => {
    const { run } = outer;
    const frame = new Frame(run, owner.slotCount, outer);
    bindArguments(shape, frame, { args, keywords });
    run.enter();
    run.spend(8 + shape.parameters.length);
    const before = run.out;
    run.out = '';
    shape.body(frame);
    const text = run.out;
    run.out = before;
    run.leave();
    return text;
  });
}

function bindArguments(
  shape: MacroShape,
  frame: Frame,
  given: { readonly args: readonly Value[]; readonly keywords: Keywords | undefined },
): void {
  const { parameters, fallbacks, specials } = shape;
  const rest = new Map(given.keywords);
  const from = parameters.length - fallbacks.length;
  for (const [index, name] of parameters.entries()) {
    let value = given.args[index];
    if (value === undefined) {
      value = rest.get(name);
      rest.delete(name);
    }
    frame.slots[index] =
      value === undefined
        ? (fallbacks[index - from]?.(frame) ?? missingArgument(fallbacks[index - from], name))
        : value;
  }
  bindSpecials(shape, frame, { rest, more: given.args.slice(parameters.length) });
  if (specials.keywords === undefined && rest.size > 0) throw tooMany(shape.name, rest);
}

/** A default that is None stays None. */
function missingArgument(fallback: Evaluate | undefined, name: string): Value {
  return fallback === undefined ? new Undefined(() => `parameter '${name}' was not provided`) : null;
}

function tooMany(name: string, rest: ReadonlyMap<string, Value>): Error {
  if (rest.has('caller'))
    return typeError(`macro '${name}' was invoked with two values for the special caller argument.`);
  return typeError(`macro '${name}' takes no keyword argument '${[...rest.keys()][0] ?? ''}'`);
}

function bindSpecials(
  shape: MacroShape,
  frame: Frame,
  given: { readonly rest: Map<string, Value>; readonly more: readonly Value[] },
): void {
  const { specials, parameters, name } = shape;
  const { rest, more } = given;
  if (specials.caller !== undefined) {
    const caller = rest.get('caller');
    frame.slots[specials.caller] = caller ?? new Undefined(() => 'No caller defined');
    rest.delete('caller');
  }
  if (specials.keywords !== undefined) frame.slots[specials.keywords] = PyDict.of(rest);
  if (specials.varargs !== undefined) frame.slots[specials.varargs] = new PyTuple(more);
  else if (more.length > 0) throw typeError(`macro '${name}' takes not more than ${parameters.length} argument(s)`);
}
