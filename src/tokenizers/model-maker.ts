/**
 * From a model's files to the model: tokenizer, template, habits. What is the same, file for file, is made once and shared
 * by all who hold it; the last one to let go ends it.
 */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ChatTemplate, TokenModel } from '../domain/token-model.ts';
import type { Tokenizer } from '../domain/tokenizer.ts';
import { boundaryTokens } from '../pipeline/tokenizer-cache/boundaries.ts';
import { CachedTokenizer } from '../pipeline/tokenizer-cache/cached-tokenizer.ts';
import type {
  CacheLevelView,
  TokenizerCacheOptions,
  TokenizerCacheView,
} from '../pipeline/tokenizer-cache/cached-tokenizer.ts';
import type { PackedFiles } from './encode-messages.ts';
import type { EncodePool } from './encode-pool.ts';
import { jsonOf, requireTokenizer } from './model-files.ts';
import type { ModelFiles } from './model-files.ts';
import { readFacts, templateTexts } from './model-facts.ts';
import type { ModelFacts, TemplateTexts } from './model-facts.ts';
import { LONG_TEXT_CHARS, OffloadingTokenizer } from './offload.ts';
import type { ModelMaker } from './store.ts';
import { readTemplate } from './template-file.ts';
import { outlineOf } from './tokenizer-outline.ts';

export interface MakerParts {
  /** Rejects or throws a SourceError for what cannot be one. */
  createTokenizer(files: ModelFiles): Tokenizer | Promise<Tokenizer>;
  /** One that throws `template_unusable` when it renders, where it cannot be compiled. */
  compileTemplate(texts: TemplateTexts, facts: ModelFacts): ChatTemplate;
  readonly pool: EncodePool;
  /** Undefined: nothing is remembered. */
  readonly cache: Pick<TokenizerCacheOptions, 'l0' | 'l1'> | undefined;
}

/** Everything but the name of the source. */
type Built = Omit<TokenModel, 'source'>;

interface Shared {
  readonly built: Promise<Built>;
  readonly holders: Set<object>;
}

export class SharingMaker implements ModelMaker {
  readonly #parts: MakerParts;
  /** By digest of the files and the template. */
  readonly #shared = new Map<string, Shared>();
  readonly #ready = new Set<string>();
  readonly #released = new WeakSet<object>();
  readonly #caches = new Map<string, CachedTokenizer>();
  /** What caches counted that are gone: counters never go back. */
  #past: readonly TokenizerCacheView[] = [];

  constructor(parts: MakerParts) {
    this.#parts = parts;
  }

  async make(
    files: ModelFiles,
    { source, template, holder }: { source: string; template: string | undefined; holder: object },
  ): Promise<TokenModel> {
    requireTokenizer(files);
    const given = template === undefined ? undefined : await readTemplate(template);
    const key = await digestOf(files, given);
    let shared = this.#shared.get(key);
    if (!shared) {
      shared = { built: this.#build(key, files, given), holders: new Set() };
      this.#shared.set(key, shared);
    }
    shared.holders.add(holder);
    try {
      const model = await shared.built;
      if (this.#shared.get(key) === shared) this.#ready.add(key);
      // It was let go of while it was being made.
      if (this.#released.has(holder)) this.#letGo(key, shared, holder);
      return { ...model, source };
    } catch (thrown) {
      this.#letGo(key, shared, holder);
      throw thrown;
    }
  }

  release(holder: object): void {
    this.#released.add(holder);
    for (const [key, shared] of this.#shared) if (shared.holders.has(holder)) this.#letGo(key, shared, holder);
  }

  close(): void {
    this.#shared.clear();
    this.#ready.clear();
    this.#parts.pool.close();
  }

  /** Tokenizers that are ready for use. */
  get size(): number {
    return this.#ready.size;
  }

  #letGo(key: string, shared: Shared, holder: object): void {
    shared.holders.delete(holder);
    if (shared.holders.size > 0 || this.#shared.get(key) !== shared) return;
    this.#shared.delete(key);
    this.#ready.delete(key);
    this.#parts.pool.forget(key);
    const cache = this.#caches.get(key);
    if (!cache) return;
    this.#caches.delete(key);
    this.#past = [total([...this.#past, withoutContent(cache.view())])];
  }

  /** Of all tokenizers together. */
  cacheView(): TokenizerCacheView {
    return total([...this.#past, ...[...this.#caches.values()].map((cache) => cache.view())]);
  }

  async #build(key: string, files: ModelFiles, given: TemplateTexts | undefined): Promise<Built> {
    // Some files are large, and so a template may be: the loop goes on between them.
    const facts = readFacts(files);
    await setImmediate();
    const texts = templateTexts(files, given);
    await setImmediate();
    const template = texts && this.#parts.compileTemplate(texts, facts);
    await setImmediate();
    const engine = await this.#parts.createTokenizer(files);
    const { pool, cache } = this.#parts;
    const pooled = { key, files: packer(files) };
    const offloading = new OffloadingTokenizer(engine, (text, added) => pool.encode(pooled, text, added));
    const tokenizer = cache ? this.#cached(key, offloading, files) : offloading;
    const { endTokenIds, modelType, architectures, contextLength, defaults } = facts;
    const ends = endTokenIds.length > 0 ? endTokenIds : ownEnd(engine, facts);
    return { tokenizer, template, endTokenIds: ends, modelType, architectures, contextLength, defaults };
  }

  #cached(key: string, tokenizer: Tokenizer, files: ModelFiles): Tokenizer {
    const { l0, l1 } = this.#parts.cache ?? {};
    const boundaries = l1 ? boundaryTokens(outlineOf(files), jsonOf(files, 'tokenizer_config.json')) : [];
    const cached = new CachedTokenizer(tokenizer, { l0, l1, boundaries, maxFreshChars: LONG_TEXT_CHARS });
    this.#caches.set(key, cached);
    return cached;
  }
}

/** The tokenizer's own end of a text, where the model's files name none. */
function ownEnd(tokenizer: Tokenizer, { specialTokens }: ModelFacts): number[] {
  const eosToken = specialTokens['eos_token'];
  const id = typeof eosToken === 'string' ? tokenizer.idOf(eosToken) : undefined;
  return id === undefined ? [] : [id];
}

const HASH_STEP_BYTES = 1024 * 1024;

/** In steps, so that the loop goes on between them. */
async function digestOf(files: ModelFiles, given: TemplateTexts | undefined): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([given?.main, given?.withTools]));
  for (const [name, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`\n${name}:${bytes.length}\n`);
    for (let at = 0; at < bytes.length; at += HASH_STEP_BYTES) {
      hash.update(bytes.subarray(at, at + HASH_STEP_BYTES));
      await setImmediate();
    }
  }
  return hash.digest('hex');
}

/** What a thread needs to make the same tokenizer, packed at once and off the loop, so that little of it is kept. */
function packer(files: ModelFiles): () => Promise<PackedFiles> {
  const pack = promisify(gzip);
  const own = [...files].filter(([name]) => !/\.jinja$|^chat_template\.json$|^tokenizer\.model$/.test(name));
  const packed = Promise.all(own.map(async ([name, bytes]) => [name, await pack(bytes, { level: 1 })] as const));
  // Told to whoever wants them.
  packed.catch(() => undefined);
  return () => packed;
}

const NO_CONTENT = { entries: 0, bytes: 0 };

function withoutContent({ l0, l1 }: TokenizerCacheView): TokenizerCacheView {
  return { l0: l0 && { ...l0, ...NO_CONTENT }, l1: l1 && { ...l1, ...NO_CONTENT } };
}

function total(views: readonly TokenizerCacheView[]): TokenizerCacheView {
  const sum = (levels: readonly (CacheLevelView | undefined)[]) => {
    const all = { hits: 0, misses: 0, entries: 0, bytes: 0 };
    for (const level of levels) {
      all.hits += level?.hits ?? 0;
      all.misses += level?.misses ?? 0;
      all.entries += level?.entries ?? 0;
      all.bytes += level?.bytes ?? 0;
    }
    return all;
  };
  return { l0: sum(views.map(({ l0 }) => l0)), l1: sum(views.map(({ l1 }) => l1)) };
}
