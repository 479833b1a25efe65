/** One render by our own engine, in the words of the oracle. */
import { PythonError, TemplateSyntaxError } from '../../../src/pipeline/template/jinja/errors.ts';
import { globalsOf } from '../../../src/pipeline/template/jinja/globals.ts';
import { readJson } from '../../../src/pipeline/template/jinja/json-in.ts';
import { compileProgram } from '../../../src/pipeline/template/jinja/program.ts';
import type { Program } from '../../../src/pipeline/template/jinja/program.ts';
import { PyDict } from '../../../src/pipeline/template/jinja/values.ts';
import type { Value } from '../../../src/pipeline/template/jinja/values.ts';
import { MOMENT_MS } from './oracle.ts';
import type { OracleJob, Outcome } from './oracle.ts';

const GLOBALS = globalsOf(() => MOMENT_MS);
const programs = new Map<string, Program>();

export function renderJob(job: OracleJob): Outcome {
  let program: Program;
  try {
    program = programs.get(job.source) ?? compileProgram(job.source, GLOBALS);
    programs.set(job.source, program);
  } catch (thrown) {
    if (thrown instanceof TemplateSyntaxError) return { kind: 'syntax', message: `${thrown.line}: ${thrown.message}` };
    throw thrown;
  }
  try {
    return { kind: 'text', text: program.render(variablesOf(job.variables), job.variables.length).text };
  } catch (thrown) {
    if (thrown instanceof PythonError) return { kind: 'error', message: `${thrown.kind}: ${thrown.message}` };
    throw thrown;
  }
}

function variablesOf(json: string): Map<string, Value> {
  const read = readJson(json);
  const variables = new Map<string, Value>();
  if (read instanceof PyDict)
    for (const [name, value] of read.pairs()) if (typeof name === 'string') variables.set(name, value);
  return variables;
}
