/**
 * One text for a source, as flags, workers' labels and the API give it: a path where there is one, else the id of a model
 * of the hub. What is being read is not read a second time beside it.
 */
import { isHubId } from './hub.ts';
import type { Hub } from './hub.ts';
import type { ModelFiles } from './model-files.ts';
import { kindOf, readModelPath } from './read-path.ts';

export class SourceReader {
  readonly #hub: Pick<Hub, 'read'>;
  readonly #underWay = new Map<string, Promise<ModelFiles>>();

  constructor(hub: Pick<Hub, 'read'>) {
    this.#hub = hub;
  }

  /** Rejects with a SourceError. */
  read(source: string, signal: AbortSignal): Promise<ModelFiles> {
    const known = this.#underWay.get(source);
    if (known) return known;
    const reading = this.#read(source, signal).finally(() => this.#underWay.delete(source));
    this.#underWay.set(source, reading);
    return reading;
  }

  async #read(source: string, signal: AbortSignal): Promise<ModelFiles> {
    const isOnDisk = (await kindOf(source)) !== undefined;
    if (!isOnDisk && isHubId(source)) return this.#hub.read(source, signal);
    return readModelPath(source);
  }
}
