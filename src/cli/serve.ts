/**
 * `smg serve`: engines, and the gateway in front of them. Owns the order: check everything, start the engines, wait
 * for them, start the gateway, and end the engines whatever happens.
 */
import { loadServeOptions } from '../config/load.ts';
import type { Sources } from '../config/resolve.ts';
import type { ServeOptions } from '../config/command-options.ts';
import type { Config } from '../config/schema.ts';
import type { CommandLine } from './command.ts';
import {
  commandLineOf,
  deviceProblems,
  type EnginePlan,
  firstCall,
  modeProblems,
  planEngines,
  SIM_MODEL,
} from './engine-plan.ts';
import { EngineFailure, type EngineGroup, startEngines } from './engines.ts';
import { announce, openGateway, runUntilStopped, startLines } from './launch.ts';
import { choosePorts, isPortFree } from './ports.ts';
import { complain, loadSettings, USAGE_ERROR } from './settings.ts';
import { listenForStop, type StopSignals } from './signals.ts';
import { simMain } from './sim.ts';

/** How long engines may take to end by themselves; one that serves a big model needs its time to let go of GPUs. */
const ENGINE_STOP_MS = 30_000;

interface Task {
  readonly config: Config;
  readonly options: ServeOptions;
  readonly plans: readonly EnginePlan[];
}

function loadBoth(line: CommandLine): { config: Config; options: ServeOptions } | undefined {
  let options: ServeOptions | undefined;
  const visible = process.env['CUDA_VISIBLE_DEVICES'];
  const further = (sources: Sources) => {
    const loaded = loadServeOptions(sources);
    if (!loaded.ok) return loaded.problems;
    options = loaded.config;
    return [...modeProblems(options), ...deviceProblems(options, visible)];
  };
  // Here the backend is the engine to start.
  const settings = loadSettings(line, further, ['backend']);
  return settings === undefined || options === undefined ? undefined : { config: settings.config, options };
}

async function planTask(config: Config, options: ServeOptions, extra: readonly string[]): Promise<Task | undefined> {
  const { dataParallelSize: count, workerBasePort: base, workerHost: host } = options;
  const wish = { host, base, count, reserved: [config.port, config.prometheusPort] };
  // A dry run tells what is meant, whoever listens on those ports just now.
  const ports = await choosePorts(wish, options.dryRun ? async () => true : isPortFree);
  if (ports.length < count) {
    complain([`flag --worker-base-port: from ${base} on there are fewer than ${count} free ports`]);
    return undefined;
  }
  const visibleDevices = process.env['CUDA_VISIBLE_DEVICES'];
  return { config, options, plans: planEngines(options, ports, { extra, visibleDevices, simMain: simMain() }) };
}

/** Asked before the engines start, which may take minutes. */
async function busyPorts({ host, port, prometheusHost, prometheusPort, disableMetrics }: Config): Promise<string[]> {
  const wanted = [{ host, port }, ...(disableMetrics ? [] : [{ host: prometheusHost, port: prometheusPort }])];
  const lines = wanted.map(async (one) =>
    one.port === 0 || (await isPortFree(one.host, one.port))
      ? []
      : [`port ${one.port} on ${one.host} is already in use`],
  );
  return (await Promise.all(lines)).flat();
}

/** True when all engines answer, false when a signal came first; throws EngineFailure. */
async function waitForEngines(engines: EngineGroup, task: Task, stop: StopSignals): Promise<boolean> {
  const interrupt = new AbortController();
  const ready = engines.untilReady(task.options.engineStartupTimeoutSecs * 1000, interrupt.signal).then(() => true);
  const stopped = stop.first.then(() => false);
  try {
    return await Promise.race([ready, stopped]);
  } finally {
    interrupt.abort();
  }
}

async function serveOn(engines: EngineGroup, task: Task, stop: StopSignals): Promise<number> {
  if (!(await waitForEngines(engines, task, stop))) return 0;
  const { plans, options } = task;
  const workerUrls = Object.freeze([...plans.map((plan) => plan.url), ...task.config.workerUrls]);
  const config: Config = Object.freeze({ ...task.config, workerUrls });
  const gateway = await openGateway(config);
  if (gateway === undefined) return 1;
  announce(config, startLines(config, gateway));
  const invite = () => announce(config, ['', 'Try it:', firstCall(gateway.url, options.model ?? SIM_MODEL), '']);
  // Rejected when the gateway is stopped before a worker was ready: then there is nothing to invite to.
  gateway.whenReady().then(invite, () => undefined);
  const lost = engines.lost.then(() => {
    complain(['all engines have ended']);
    return 1;
  });
  return await runUntilStopped(gateway, stop, lost);
}

/** The command: resolves to the exit code, with every engine ended. */
export async function serve(line: CommandLine): Promise<number> {
  const loaded = loadBoth(line);
  if (loaded === undefined) return USAGE_ERROR;
  const task = await planTask(loaded.config, loaded.options, line.rest);
  if (task === undefined) return 1;
  if (task.options.dryRun) {
    process.stdout.write(`${task.plans.map(commandLineOf).join('\n')}\n`);
    return 0;
  }
  const busy = await busyPorts(task.config);
  complain(busy);
  if (busy.length > 0) return 1;

  const stop = listenForStop();
  const log = (text: string) => process.stderr.write(`${text}\n`);
  const engines = startEngines(task.plans, { log, stopTimeoutMs: ENGINE_STOP_MS });
  announce(
    task.config,
    engines.started.map(({ plan, pid }) => `engine ${plan.label}: ${plan.url}, process ${pid}`),
  );
  try {
    return await serveOn(engines, task, stop);
  } catch (error) {
    if (!(error instanceof EngineFailure)) throw error;
    complain([error.message]);
    return 1;
  } finally {
    await engines.stop(stop.second);
  }
}
