/**
 * `smg simulate`: plays a load through policies in virtual time. Owns its options, help and problem lines; playing is
 * the laboratory's, a program of its own that gets the options as one word of JSON.
 */
import { simulateOptions } from '../config/command-options.ts';
import { loadSimulateOptions } from '../config/load.ts';
import type { Command, CommandLine, PassThroughCommand } from './command.ts';
import { parseCommandLine } from './command-line.ts';
import { commandHelp } from './help.ts';
import { programMain, runProgram } from './program.ts';
import { complain, USAGE_ERROR } from './settings.ts';
import { packageVersion } from './version.ts';

async function play(line: CommandLine): Promise<number> {
  const loaded = loadSimulateOptions(line.flags);
  const problems = [...line.problems, ...(loaded.ok ? [] : loaded.problems)];
  complain(problems);
  if (!loaded.ok || problems.length > 0) return USAGE_ERROR;
  return await runProgram(programMain('lab'), [JSON.stringify(loaded.config)]);
}

const command: Command = {
  name: 'simulate',
  aliases: [],
  summary: 'Compare policies on a trace, in virtual time.',
  usage: '--trace <file> [flags]',
  examples: [
    'smg simulate --trace requests.jsonl --policy round_robin least_load --workers 8',
    'smg simulate --load shared_system_prompt --kv-tokens 524288 --out picture.svg',
  ],
  options: simulateOptions,
  run: play,
};

async function simulate(words: readonly string[]): Promise<number> {
  const { wantsHelp, wantsVersion, line } = parseCommandLine(words, [command]);
  if (wantsVersion) process.stdout.write(`smg ${packageVersion()}\n`);
  else if (wantsHelp) process.stdout.write(commandHelp(command));
  else return await play(line);
  return 0;
}

/** It has to be the first word, because some of its flags mean something else to the gateway. */
export const simulateCommand: PassThroughCommand = { ...command, run: simulate };
