/**
 * From a command line to a checked configuration: reads the file that flag or environment names, and tells the user
 * every problem of every source at once. Owns the output of problems and warnings; checking is config/.
 */
import { type ConfigFile, readConfigFile } from '../config/file.ts';
import { type Loaded, loadConfig } from '../config/load.ts';
import type { Sources } from '../config/resolve.ts';
import type { Config } from '../config/schema.ts';
import type { CommandLine } from './command.ts';

/** The exit code for a bad command line, environment or file. */
export const USAGE_ERROR = 2;

function sourcesOf(flags: CommandLine['flags'], env: NodeJS.ProcessEnv): Sources {
  const path = flags['config'] ?? env['SMG_CONFIG'];
  const isNamed = typeof path === 'string' && path !== '';
  const file: ConfigFile | undefined = isNamed ? readConfigFile(path) : undefined;
  return { flags, env, file };
}

/** Writes each line to stderr, marked as ours. */
export function complain(lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`smg: ${line}\n`);
}

/**
 * The configuration of the gateway and the sources that it came from; undefined once the problems are told. `left`:
 * options of the gateway that the command has another meaning for.
 */
export function loadSettings(
  line: CommandLine,
  further: (sources: Sources, config: Config | undefined) => readonly string[] = () => [],
  left: readonly string[] = [],
): { readonly config: Config; readonly sources: Sources } | undefined {
  const sources = sourcesOf(line.flags, process.env);
  const loaded: Loaded<Config> = loadConfig(sources, left);
  const problems = [
    ...line.problems,
    ...(loaded.ok ? [] : loaded.problems),
    ...further(sources, loaded.ok ? loaded.config : undefined),
  ];
  complain(loaded.warnings.map((warning) => `warning: ${warning}`));
  complain(problems);
  return loaded.ok && problems.length === 0 ? { config: loaded.config, sources } : undefined;
}
