/** `smg sim`: the simulator, whose words are its own matter. */
import { programMain, runProgram } from './program.ts';

/** The simulator's entry. */
export function simMain(): string {
  return programMain('sim');
}

/** The command: resolves to the simulator's exit code. */
export function startSim(words: readonly string[]): Promise<number> {
  return runProgram(simMain(), words);
}
