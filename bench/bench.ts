/**
 * What the matrix and the scenarios share: the rig, the cores, a place for files, the engine and client processes.
 * Shapes  new Bench(root, options) · startEngine(flags, script) · startClient(script) · placeFor(ports) · close()
 * Owner   bench/main.ts, which calls close() in a finally
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Options } from './options.ts';
import { provenance } from './report/results.ts';
import type { Provenance, Section } from './report/section.ts';
import { type Cores, planCores } from './rig/pinning.ts';
import { Rig, type Started } from './rig/processes.ts';
import type { Place } from './rig/targets.ts';

export interface Outcome {
  readonly section: Section;
  readonly raw: unknown;
}

export interface Engine {
  readonly process: Started;
  readonly ports: readonly number[];
}

const START_TIMEOUT_MS = 10_000;

export class Bench {
  readonly root: string;
  readonly cores: Cores = planCores();
  readonly provenance: Provenance;
  readonly #rig = new Rig();
  readonly #temp = mkdtempSync(join(tmpdir(), 'smg-bench-'));
  readonly #options: Options;

  constructor(root: string, options: Options) {
    this.root = root;
    this.provenance = provenance(root, this.cores.note);
    this.#options = options;
    for (const [signal, code] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const]) {
      process.once(signal, () => void this.close().finally(() => process.exit(code)));
    }
  }

  placeFor(enginePorts: readonly number[]): Place {
    const { root, cores } = this;
    const { gatewayArgs, profileDir } = this.#options;
    return { rig: this.#rig, cores, root, temp: this.#temp, enginePorts, gatewayArgs, profileDir };
  }

  async startEngine(flags: readonly string[], script = 'bench/engine.ts'): Promise<Engine> {
    const command = [process.execPath, join(this.root, script), ...flags];
    const started = await this.#rig.start({ name: 'engine', command, core: this.cores.engine, ipc: true });
    const { ports } = await started.ask<{ ports: number[] }>(undefined, START_TIMEOUT_MS);
    return { process: started, ports };
  }

  async startClient(script: string): Promise<Started> {
    return this.#startScript(script, [], this.cores.load);
  }

  /** For a client that is itself what is measured. */
  async startOnProxyCore(script: string, flags: readonly string[]): Promise<Started> {
    return this.#startScript(script, flags, this.cores.proxy);
  }

  async #startScript(script: string, flags: readonly string[], core: number | undefined): Promise<Started> {
    const command = [process.execPath, join(this.root, script), ...flags];
    const started = await this.#rig.start({ name: 'client', command, core, ipc: true });
    await started.ask(undefined, START_TIMEOUT_MS);
    return started;
  }

  progress(line: string): void {
    process.stderr.write(`${line}\n`);
  }

  async close(): Promise<void> {
    await this.#rig.stopAll();
    rmSync(this.#temp, { recursive: true, force: true });
  }
}
