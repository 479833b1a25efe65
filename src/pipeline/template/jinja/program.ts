/** A template, compiled once, rendered often. */
import type { Body } from './ast.ts';
import { StatementCompiler } from './compile-statement.ts';
import { LimitError, TemplateSyntaxError } from './errors.ts';
import { parseTemplate } from './parse.ts';
import { Frame, Run } from './runtime.ts';
import type { Execute } from './runtime.ts';
import { BlockScope, FunctionScope, assignedNames } from './scope.ts';
import type { Value } from './values.ts';

export interface Program {
  readonly tree: Body;
  /**
   * The text. `variables` win over globals. `inputUnits`: the length of the texts that the variables were made from,
   * which the budget grows with.
   * Errors: PythonError, LimitError
   */
  render(variables: ReadonlyMap<string, Value>, inputUnits: number): Rendering;
}

export interface Rendering {
  readonly text: string;
  /** Steps it took. */
  readonly steps: number;
}

/** Longer ones are refused; the longest known are below 32 KiB. */
const MOST_SOURCE_UNITS = 1 << 20;

/** Errors: TemplateSyntaxError. Cost: some 20 ns per unit of the source. */
export function compileProgram(source: string, globals: ReadonlyMap<string, Value>): Program {
  if (source.length > MOST_SOURCE_UNITS)
    throw new TemplateSyntaxError(`it is longer than ${MOST_SOURCE_UNITS} characters`, 1);
  try {
    return compile(source, globals);
  } catch (thrown) {
    throw isTooDeep(thrown) ? new TemplateSyntaxError('it is nested too deeply', 1) : thrown;
  }
}

/** Chains without brackets nest as well, and are bounded by the stack alone. */
const isTooDeep = (thrown: unknown): boolean => thrown instanceof RangeError && /call stack/i.test(thrown.message);

function compile(source: string, globals: ReadonlyMap<string, Value>): Program {
  const tree = parseTemplate(source);
  const owner = new FunctionScope(undefined);
  const scope = new BlockScope(owner, undefined);
  for (const name of assignedNames(tree)) scope.declare(name);
  const body = new StatementCompiler().body(tree, { scope, isSoft: false });
  const names = [...scope.names()].map(([name, slot]) => ({ name, slot, global: globals.get(name) }));
  return {
    tree,
    render: (variables, inputUnits) => {
      const run = new Run(inputUnits);
      const frame = new Frame(run, owner.slotCount, undefined);
      for (const { name, slot, global } of names) {
        const value = variables.get(name);
        frame.slots[slot] = value === undefined ? global : value;
      }
      return execute(body, frame);
    },
  };
}

function execute(body: Execute, frame: Frame): Rendering {
  const { run } = frame;
  try {
    body(frame);
  } catch (thrown) {
    throw isTooDeep(thrown) ? new LimitError('its values or calls are nested too deeply') : thrown;
  }
  return { text: run.out, steps: run.stepLimit - run.left };
}
