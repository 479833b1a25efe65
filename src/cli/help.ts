/** The help pages, rendered by commander from the option tables. Owns their layout; the sentences are the tables'. */
import { Command as Page, Option as PageOption } from 'commander';
import { flagOf, variableOf } from '../config/names.ts';
import { defaultText, type Option, type OptionTable } from '../config/option.ts';
import type { Command, PassThroughCommand } from './command.ts';

const WIDTH = 110;

function describe(key: string, option: Option<unknown>): string {
  const choices = option.choices.length > 1 ? [`one of ${option.choices.join(', ')}`] : [];
  const standard = option.default === undefined || option.shape === 'switch' ? [] : [`default ${defaultText(option)}`];
  const variable = option.flagOnly ? [] : [`env ${variableOf(key)}`];
  const facts = [...choices, ...standard, ...variable].join('; ');
  return facts === '' ? option.doc : `${option.doc} (${facts})`;
}

function pageOption(key: string, option: Option<unknown>): PageOption {
  const value = { switch: '', single: ` <${option.placeholder}>`, list: ` <${option.placeholder}...>` }[option.shape];
  const names = [...option.aliases.map((alias) => `--${alias}`), flagOf(key)].join(', ');
  return new PageOption(`${names}${value}`, describe(key, option)).helpGroup(`${option.group}:`);
}

function page(name: string, usage: string, options: OptionTable): Page {
  const result = new Page(name).usage(usage).helpOption(false).configureHelp({ helpWidth: WIDTH });
  for (const [key, option] of Object.entries(options)) if (!option.fileOnly) result.addOption(pageOption(key, option));
  const help = new PageOption('-h, --help', 'Show this page.').helpGroup('General:');
  const version = new PageOption('-V, --version', 'Show the version.').helpGroup('General:');
  return result.addOption(help).addOption(version);
}

function withExamples(text: string, examples: readonly string[]): string {
  const lines = examples.map((example) => example.replace(/^/gm, '  '));
  return `${text.trimEnd()}\n\nExamples:\n${lines.join('\n\n')}\n`;
}

const SWITCHES = 'A switch is turned off by --no-<name> or --<name>=false.';
const SOURCES =
  'An option is taken from its flag, else from its environment variable, else from the file of --config (its key is ' +
  'the flag in snake_case), else it has its default.';

function preface({ options }: Command): string {
  const areFlagsOnly = Object.values(options).every(({ flagOnly }) => flagOnly);
  return areFlagsOnly ? SWITCHES : `${SWITCHES} ${SOURCES}`;
}

/** `smg <command> --help`. */
export function commandHelp(command: Command): string {
  const result = page(`smg ${command.name}`, command.usage, command.options).description(
    `${command.summary}\n\n${preface(command)}`,
  );
  return withExamples(result.helpInformation(), command.examples);
}

/** `smg --help`: the commands, and the options of the one that runs when none is named. */
export function mainHelp(main: Command, others: readonly (Command | PassThroughCommand)[]): string {
  const result = page('smg', `[command] ${main.usage}`, main.options).description(
    `Shepherd Model Gateway: one process in front of many LLM workers.\n\n${preface(main)}`,
  );
  for (const command of [main, ...others]) {
    const listed = new Page(command.name).description(command.summary).helpOption(false).usage(command.usage);
    for (const alias of command.aliases) listed.alias(alias);
    result.addCommand(listed);
  }
  result.helpCommand(false);
  return withExamples(result.helpInformation(), [...main.examples, ...others.flatMap((other) => other.examples)]);
}
