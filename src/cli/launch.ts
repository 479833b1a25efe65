/**
 * `smg launch`: the gateway, from its configuration to its end by a signal. Owns what is printed at the start, and
 * the meaning of the first and the second signal for a running gateway; building it is app/.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Gateway } from '../app/build.ts';
import { startProblems } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { CommandLine } from './command.ts';
import { complain, loadSettings, USAGE_ERROR } from './settings.ts';
import { listenForStop, type StopSignals } from './signals.ts';
import { packageVersion } from './version.ts';

/** Starts a gateway; undefined once the reason why it cannot be started is told. */
export async function openGateway(config: Config): Promise<Gateway | undefined> {
  // Loaded late: help, version and bad command lines need nothing of it.
  const { startGateway } = await import('../app/build.ts');
  try {
    return await startGateway(config);
  } catch (error) {
    // A code says that the machine refused (a busy port, a foreign address); anything else is a fault of ours.
    if (!(error instanceof Error && 'code' in error)) throw error;
    complain([error.message]);
    return undefined;
  }
}

/** The lines that tell a person what runs. */
export function startLines(config: Config, gateway: Pick<Gateway, 'url' | 'metricsUrl'>): string[] {
  const count = config.workerUrls.length + config.workers.length;
  const workers = count === 0 ? 'no workers yet' : `${count} worker${count === 1 ? '' : 's'}`;
  const metrics = gateway.metricsUrl === undefined ? [] : [`metrics at ${gateway.metricsUrl}`];
  return [
    `Shepherd Model Gateway ${packageVersion()}`,
    `listening at ${gateway.url}: ${workers}, policy ${config.policy}`,
    ...metrics,
  ];
}

/** Plain lines for people, or nothing when standard output is for JSON. */
export function announce(config: Config, lines: readonly string[]): void {
  if (!config.logJson) process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

/** How long a forced end may take before the process ends without it. */
const FORCED_END_MS = 1000;

/**
 * Runs a started gateway until `ended` or a signal. The first signal lets calls finish; the second one ends them.
 * Resolves to the exit code, with the gateway stopped.
 */
export async function runUntilStopped(
  gateway: Gateway,
  stop: StopSignals,
  ended: Promise<number> = new Promise<never>(() => undefined),
): Promise<number> {
  const cause = await Promise.race([stop.first, ended]);
  // Only SIGTERM comes from somebody who watches readiness and needs time to look away.
  let isForced = false;
  const drained = gateway.stop({ settle: cause === 'SIGTERM' }).then(() => {
    if (isForced) return 1;
    return typeof cause === 'number' ? cause : 0;
  });
  const forced = stop.second.then(async () => {
    isForced = true;
    await Promise.race([gateway.stop({ force: true }), delay(FORCED_END_MS)]);
    return 1;
  });
  return await Promise.race([drained, forced]);
}

/** The command: resolves to the exit code. */
export async function launch(line: CommandLine): Promise<number> {
  const settings = loadSettings(line, (_sources, config) => (config ? startProblems(config) : []));
  if (settings === undefined) return USAGE_ERROR;
  const stop = listenForStop();
  const gateway = await openGateway(settings.config);
  if (gateway === undefined) return 1;
  announce(settings.config, startLines(settings.config, gateway));
  return await runUntilStopped(gateway, stop);
}
