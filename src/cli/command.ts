/** What a command of `smg` is, and what is left of a command line once it is taken apart. Types only. */
import type { OptionTable } from '../config/option.ts';

/** A command line taken apart. */
export interface CommandLine {
  /** Texts by option key: one text, a list of texts, or a boolean. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** Everything after `--`. */
  readonly rest: readonly string[];
  /** Words that could not be understood, one line each. */
  readonly problems: readonly string[];
}

/** One command. Every command is a line in commands.ts. */
export interface Command {
  readonly name: string;
  readonly aliases: readonly string[];
  /** One line for the list of commands. */
  readonly summary: string;
  /** After the command's name in the usage line. */
  readonly usage: string;
  readonly examples: readonly string[];
  /** In the order of help. */
  readonly options: OptionTable;
  /** Resolves to the exit code once everything that it started has ended. */
  readonly run: (line: CommandLine) => Promise<number>;
}

/** A command whose words are another program's matter. */
export interface PassThroughCommand extends Omit<Command, 'options' | 'run'> {
  readonly run: (words: readonly string[]) => Promise<number>;
}
