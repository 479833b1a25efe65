/**
 * Models of the hub: looked up in the local hub cache folder, and downloaded into it in its own layout where they are not
 * there. Only files of known names are asked for, each bounded and all of them together.
 * Source  huggingface.co, "Hub local cache": `models--<org>--<name>/{refs/main, snapshots/<revision>/<file>}`, where a file
 *         may be a link into `blobs`; HF_HUB_CACHE before HF_HOME/hub before ~/.cache/huggingface/hub. Hub API:
 *         `/api/models/<id>/revision/main` (`sha`, `siblings[].rfilename`), `/<id>/resolve/<revision>/<file>`.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mapBounded } from '../base/map-bounded.ts';
import type { FileFetcher } from '../domain/ports.ts';
import { isObject, limitOf, MAX_FILES, MAX_TOTAL_BYTES, requireTokenizer, SourceError } from './model-files.ts';
import type { ModelFiles } from './model-files.ts';
import { kindOf, readFolder } from './read-path.ts';

export interface HubSettings {
  readonly cacheDir: string;
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Sent to the endpoint only, never where it redirects to. */
  readonly token: string | undefined;
  /** Nothing is downloaded. */
  readonly isOffline: boolean;
}

/** From the environment that the hub's own tools read. */
export function hubSettings(env: Readonly<Record<string, string | undefined>>, homeDir: string): HubSettings {
  const home = env['HF_HOME'] || join(env['XDG_CACHE_HOME'] || join(homeDir, '.cache'), 'huggingface');
  return {
    cacheDir: env['HF_HUB_CACHE'] || join(home, 'hub'),
    endpoint: (env['HF_ENDPOINT'] || 'https://huggingface.co').replace(/\/+$/, ''),
    token: env['HF_TOKEN'] || undefined,
    isOffline: /^(1|true|yes|on)$/i.test(env['HF_HUB_OFFLINE'] ?? ''),
  };
}

const HUB_ID = /^(?!.*\.\.)[A-Za-z0-9][\w.-]{0,95}(\/[A-Za-z0-9_][\w.-]{0,95})?$/;

/** `org/name`, or the name alone of the oldest models. */
export function isHubId(text: string): boolean {
  return HUB_ID.test(text);
}

const MAX_LISTING_BYTES = 16 * 1024 * 1024;
const DOWNLOADS_AT_ONCE = 4;
const REVISION = /^[\w-][\w.-]{0,127}$/;

export class Hub {
  readonly #settings: HubSettings;
  readonly #fetcher: FileFetcher;
  readonly #note: (text: string) => void;

  /** `note` hears of a cache that cannot be written to, which costs another download at the next start and no more. */
  constructor(settings: HubSettings, fetcher: FileFetcher, note: (text: string) => void) {
    this.#settings = settings;
    this.#fetcher = fetcher;
    this.#note = note;
  }

  /** Rejects with a SourceError. */
  async read(id: string, signal: AbortSignal): Promise<ModelFiles> {
    const cached = await this.#cached(id);
    if (cached) return cached;
    if (this.#settings.isOffline)
      throw new SourceError('it is not in the hub cache, and HF_HUB_OFFLINE forbids downloads');
    const { revision, names } = await this.#list(id, signal);
    const files = await this.#download(id, revision, names, signal);
    await this.#keep(id, revision, files);
    return files;
  }

  #folderOf(id: string): string {
    return join(this.#settings.cacheDir, `models--${id.replaceAll('/', '--')}`);
  }

  /** Undefined where the cache has no tokenizer of it. */
  async #cached(id: string): Promise<ModelFiles | undefined> {
    const folder = this.#folderOf(id);
    const revision = await readFile(join(folder, 'refs', 'main'), 'utf8').then(
      (text) => text.trim(),
      // Not there, as far as it can be read: it is downloaded.
      () => '',
    );
    if (!REVISION.test(revision)) return undefined;
    const snapshot = join(folder, 'snapshots', revision);
    if ((await kindOf(snapshot)) !== 'folder') return undefined;
    const files = await readFolder(snapshot);
    return hasTokenizer(files) ? files : undefined;
  }

  async #list(id: string, signal: AbortSignal): Promise<{ revision: string; names: string[] }> {
    const bytes = await this.#get(`/api/models/${id}/revision/main`, MAX_LISTING_BYTES, signal);
    let listing: unknown;
    try {
      listing = JSON.parse(bytes.toString('utf8'));
    } catch (thrown) {
      throw new SourceError('the hub answered with something that is no list of files', thrown);
    }
    const revision = isObject(listing) ? listing['sha'] : undefined;
    const siblings: unknown = isObject(listing) ? listing['siblings'] : undefined;
    if (typeof revision !== 'string' || !REVISION.test(revision) || !Array.isArray(siblings))
      throw new SourceError('the hub answered with something that is no list of files');
    const all = siblings.flatMap((each: unknown) => {
      const name = isObject(each) ? each['rfilename'] : undefined;
      return typeof name === 'string' && limitOf(name) !== undefined ? [name] : [];
    });
    requireTokenizer(new Map(all.map((name) => [name, NOTHING])));
    return { revision, names: needed(all).slice(0, MAX_FILES) };
  }

  async #download(id: string, revision: string, names: readonly string[], signal: AbortSignal): Promise<ModelFiles> {
    let left = MAX_TOTAL_BYTES;
    const all = await mapBounded(names, DOWNLOADS_AT_ONCE, async (name) => {
      const limit = Math.min(limitOf(name) ?? 0, left);
      const bytes = await this.#get(`/${id}/resolve/${revision}/${encodeURIComponent(name)}`, limit, signal);
      left -= bytes.length;
      if (left < 0) throw new SourceError('the files of the model are too large together');
      return [name, bytes] as const;
    });
    return new Map(all);
  }

  async #get(path: string, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
    const { endpoint, token } = this.#settings;
    try {
      return await this.#fetcher.fetchFile(endpoint + path, { bearer: token, maxBytes, signal });
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : 'unknown fault';
      throw new SourceError(`it is not in the hub cache, and the hub does not give it: ${why}`, thrown);
    }
  }

  /** In the cache's own layout, whole files only; the revision is named last. */
  async #keep(id: string, revision: string, files: ModelFiles): Promise<void> {
    const folder = this.#folderOf(id);
    const snapshot = join(folder, 'snapshots', revision);
    try {
      await mkdir(snapshot, { recursive: true });
      await mkdir(join(folder, 'refs'), { recursive: true });
      for (const [name, bytes] of files) await put(join(snapshot, name), bytes);
      await put(join(folder, 'refs', 'main'), Buffer.from(revision));
    } catch (thrown) {
      const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown fault';
      this.#note(`the hub cache cannot be written to (${code})`);
    }
  }
}

const NOTHING = Buffer.alloc(0);

async function put(path: string, bytes: Buffer): Promise<void> {
  const incomplete = `${path}.${process.pid}.incomplete`;
  await writeFile(incomplete, bytes);
  await rename(incomplete, path);
}

function hasTokenizer(files: ModelFiles): boolean {
  try {
    requireTokenizer(files);
    return true;
  } catch {
    // What is missing is downloaded; the message belongs to the hub's list then.
    return false;
  }
}

/** Of several forms of one tokenizer the first alone. */
function needed(names: readonly string[]): string[] {
  const hasJson = names.includes('tokenizer.json');
  return names.filter((name) => {
    if (name === 'tokenizer.model') return false;
    return !hasJson || !(name === 'vocab.json' || name === 'merges.txt' || name.includes('tiktoken'));
  });
}
