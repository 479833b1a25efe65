/** From the words of the command line to an exit code: help, version, or one command. Owns only this choice. */
import { parseCommandLine } from './command-line.ts';
import { commands, passThroughCommands } from './commands.ts';
import { commandHelp, mainHelp } from './help.ts';
import { packageVersion } from './version.ts';

/** Runs `smg` with these words; resolves to the exit code once everything that was started has ended. */
export async function run(words: readonly string[]): Promise<number> {
  const passThrough = passThroughCommands.find(({ name }) => name === words[0]);
  if (passThrough !== undefined) return await passThrough.run(words.slice(1));

  const [main, ...others] = commands;
  const firstWords = passThroughCommands.map(({ name }) => name);
  const { command, wantsHelp, wantsVersion, line } = parseCommandLine(words, commands, firstWords);
  if (wantsVersion) {
    process.stdout.write(`smg ${packageVersion()}\n`);
    return 0;
  }
  if (wantsHelp) {
    process.stdout.write(
      command === undefined ? mainHelp(main, [...others, ...passThroughCommands]) : commandHelp(command),
    );
    return 0;
  }
  return await (command ?? main).run(line);
}
