/**
 * Takes the words of a command line apart: which command, which flags with which texts, and every word that fits
 * nowhere. Owns the grammar (flags before or after the command, repeated and variadic lists, `--x=y`, `--no-x`, `--`);
 * whether a value is any good is decided in config/. Pure.
 *
 * commander splits the words, in a lenient setting: every value is optional and unknown flags are kept, so that it
 * never ends the process at the first fault and all faults can be told at once.
 */
import { Command as Parser, Option as ParserOption } from 'commander';
import { flagOf, suggestion } from '../config/names.ts';
import { type Option, type OptionTable, readBoolean, show } from '../config/option.ts';
import type { Command, CommandLine } from './command.ts';

export interface Invocation {
  /** Undefined when no word names a command. */
  readonly command: Command | undefined;
  readonly wantsHelp: boolean;
  readonly wantsVersion: boolean;
  readonly line: CommandLine;
}

interface Words {
  readonly flags: Record<string, unknown>;
  /** Words that are neither a known flag nor the value of one, in order. */
  readonly others: string[];
}

const META = { help: '-h, --help', version: '-V, --version' } as const;

function lenientParser(options: OptionTable): Parser {
  const parser = new Parser().helpOption(false).allowUnknownOption().allowExcessArguments();
  for (const flags of Object.values(META)) parser.addOption(new ParserOption(flags));
  for (const [key, option] of Object.entries(options)) {
    if (option.fileOnly) continue;
    const value = { switch: '', single: ' [value]', list: ' [values...]' }[option.shape];
    const names = [...option.aliases.map((alias) => `--${alias}`), flagOf(key)].join(', ');
    parser.addOption(new ParserOption(`${names}${value}`));
    if (option.shape === 'switch') parser.addOption(new ParserOption(flagOf(key).replace('--', '--no-')));
  }
  return parser;
}

/** `--log-json=false` → `--no-log-json`: commander's switches take no value. */
function withoutSwitchValues(words: readonly string[], options: OptionTable): string[] {
  const switches = new Set(
    Object.keys(options)
      .filter((key) => options[key]?.shape === 'switch')
      .map(flagOf),
  );
  return words.map((word) => {
    const [, flag, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
    const isOn = flag !== undefined && switches.has(flag) ? readBoolean(value) : undefined;
    if (flag === undefined || isOn === undefined) return word;
    return isOn ? flag : flag.replace('--', '--no-');
  });
}

function split(words: readonly string[], options: OptionTable): Words {
  const parser = lenientParser(options);
  const { operands, unknown } = parser.parseOptions(withoutSwitchValues(words, options));
  const flags: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(parser.opts<Record<string, unknown>>())) {
    if (parser.getOptionValueSource(name) !== undefined) flags[name] = value;
  }
  return { flags, others: [...operands, ...unknown] };
}

/** The command's name ends a list of values: in `--worker-urls a b launch` the last word is no worker. */
function takeFromLists(
  flags: Record<string, unknown>,
  find: (word: string) => Command | undefined,
): Command | undefined {
  for (const [key, value] of Object.entries(flags)) {
    if (!Array.isArray(value)) continue;
    const at = value.findIndex((word: unknown, index) => index > 0 && typeof word === 'string' && find(word));
    if (at < 0) continue;
    flags[key] = value.toSpliced(at, 1);
    return find(String(value[at]));
  }
  return undefined;
}

function removeMissingValues(flags: Record<string, unknown>, options: OptionTable): string[] {
  const missing = Object.keys(flags).filter((key) => options[key]?.shape !== 'switch' && flags[key] === true);
  return missing.map((key) => {
    delete flags[key];
    return `flag ${flagOf(key)}: the value is missing; give ${options[key]?.accepts}`;
  });
}

/** The secret option whose flag is the last one before `word`; `isNext` asks for the flag right before it. */
function secretBefore(
  word: string,
  words: readonly string[],
  options: OptionTable,
  isNext: boolean,
): string | undefined {
  const flags = words.flatMap((other, at) => {
    if (other !== word) return [];
    const before = isNext ? words[at - 1] : words.slice(0, at).findLast((earlier) => earlier.startsWith('-'));
    return before === undefined ? [] : [before.replace(/=.*$/s, '')];
  });
  return Object.keys(options)
    .filter((key) => options[key]?.secret === true)
    .map(flagOf)
    .find((flag) => flags.includes(flag));
}

function unknownFlag(word: string, words: readonly string[], options: OptionTable): string {
  const secret = secretBefore(word, words, options, true);
  if (secret !== undefined) return `flag ${secret}: a value that begins with a dash is given as ${secret}=<value>`;
  // Only the name is shown: what stands behind the equals sign may be a mistyped key.
  const name = word.replace(/=.*$/s, '');
  const flags = Object.entries(options).filter(([, option]) => !option.fileOnly);
  const known = flags.flatMap(([key, option]) => [flagOf(key), ...option.aliases.map((alias) => `--${alias}`)]);
  if (known.includes(name)) return `flag ${name}: ${show(word.slice(name.length + 1))} is not true or false`;
  return `flag ${name}: no such flag${suggestion(name, [...known, '--help', '--version'])}`;
}

function strayWord(word: string, words: readonly string[], options: OptionTable, names: readonly string[]): string {
  // Probably a part of the key that lost its quotes.
  const secret = secretBefore(word, words, options, false);
  if (secret !== undefined)
    return `flag ${secret}: there is a word behind its value (not shown); put the key in quotes`;
  if (names.includes(word)) return `${show(word)}: a second command, or one that has to be the first word`;
  if (word.includes('://')) return `${show(word)}: an argument too many; worker URLs go behind --worker-urls`;
  return `${show(word)}: neither a command nor the value of a flag${suggestion(word, names)}`;
}

/** Sorts what commander left: the command, unknown flags (with the word behind them), words that fit nowhere. */
function judge(
  others: readonly string[],
  find: (word: string) => Command | undefined,
  complaints: { readonly flag: (word: string) => string; readonly word: (word: string) => string },
): { command: Command | undefined; problems: string[] } {
  let command: Command | undefined;
  let isBehindFlag = false;
  const problems: string[] = [];
  for (const word of others) {
    const isFlag = word.startsWith('-') && word.length > 1;
    const named = command === undefined && !isFlag ? find(word) : undefined;
    command ??= named;
    if (isFlag) problems.push(complaints.flag(word));
    // The word behind an unknown flag is taken for its value, which is no second problem.
    else if (named === undefined && !isBehindFlag) problems.push(complaints.word(word));
    isBehindFlag = isFlag && !word.includes('=');
  }
  return { command, problems };
}

function removeForeignFlags(flags: Record<string, unknown>, command: Command, commands: readonly Command[]): string[] {
  const foreign = Object.keys(flags).filter((key) => !Object.hasOwn(command.options, key));
  return foreign.map((key) => {
    delete flags[key];
    const owners = commands.filter((other) => Object.hasOwn(other.options, key));
    return `flag ${flagOf(key)}: it belongs to smg ${owners.map((owner) => owner.name).join(', smg ')}`;
  });
}

/**
 * Takes a command line apart. The first of `commands` is meant when no word names one; `firstWords` are commands that
 * are not taken apart here and have to stand first.
 */
export function parseCommandLine(
  all: readonly string[],
  commands: readonly [Command, ...Command[]],
  firstWords: readonly string[] = [],
): Invocation {
  const end = all.indexOf('--');
  const words = end < 0 ? all : all.slice(0, end);
  const options: Record<string, Option<unknown>> = Object.assign({}, ...commands.map((command) => command.options));
  const find = (word: string) => commands.find(({ name, aliases }) => name === word || aliases.includes(word));
  const names = commands.flatMap(({ name, aliases }) => [name, ...aliases]).concat(firstWords);

  const { flags, others } = split(words, options);
  const { help, version, ...given } = flags;
  const wantsHelp = help === true || others[0] === 'help';
  const { command: named, problems } = judge(others, find, {
    flag: (word) => unknownFlag(word, words, options),
    word: (word) => strayWord(word, words, options, names),
  });
  const command = named ?? takeFromLists(given, find);
  const missing = removeMissingValues(given, options);
  const foreign = removeForeignFlags(given, command ?? commands[0], commands);
  return {
    command,
    wantsHelp,
    wantsVersion: version === true,
    line: { flags: given, rest: end < 0 ? [] : all.slice(end + 1), problems: [...problems, ...missing, ...foreign] },
  };
}
