/**
 * `npm start`: the demo, or `smg` with the flags given. Owns what stands behind `npm start --`; runs the gateway in
 * this process, so that signals and the exit code are its own.
 */
import { parseCommandLine } from '../src/cli/command-line.ts';
import { commands, passThroughCommands } from '../src/cli/commands.ts';

const DEMO = ['serve', '--backend', 'sim', '--data-parallel-size', '2'];

function wordsFor(given: readonly string[]): readonly string[] {
  const { command, wantsHelp, wantsVersion, line } = parseCommandLine(given, commands);
  const isWholeCommand = command !== undefined || passThroughCommands.some(({ name }) => name === given[0]);
  // Workers or a configuration of one's own: the gateway alone.
  const isGatewayAlone = 'workerUrls' in line.flags || 'config' in line.flags;
  return isWholeCommand || wantsHelp || wantsVersion || isGatewayAlone ? given : [...DEMO, ...given];
}

process.argv.splice(2, process.argv.length, ...wordsFor(process.argv.slice(2)));
await import('../src/main.ts');
