/** What turns text into tokens: the store of tokenizers with everything it loads them by. */
import { availableParallelism, homedir } from 'node:os';
import { extname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { HttpFileFetcher } from '../backends/http/file-fetcher.ts';
import type { Clock } from '../base/clock.ts';
import type { Config } from '../config/schema.ts';
import type { TokenizerBundles } from '../domain/engine-prober.ts';
import type { WorkerDirectory } from '../domain/ports.ts';
import { compileChatTemplate } from '../pipeline/template/chat-template.ts';
import { createWarmTokenizer } from '../tokenizers/create-tokenizer.ts';
import { ENCODE_POOL, EncodePool } from '../tokenizers/encode-pool.ts';
import { Hub, hubSettings } from '../tokenizers/hub.ts';
import { SharingMaker } from '../tokenizers/model-maker.ts';
import { inSlices } from '../tokenizers/slices.ts';
import { SourceReader } from '../tokenizers/source-reader.ts';
import { TokenizerStore } from '../tokenizers/store.ts';
import type { CommonParts } from './common-parts.ts';

export interface TokenizerParts {
  /** Does nothing before `start`; `stop` ends its threads. */
  readonly store: TokenizerStore;
}

export interface TokenizerNeeds {
  readonly directory: WorkerDirectory;
  /** Undefined: workers cannot be asked for theirs. */
  readonly bundles: TokenizerBundles | undefined;
  /** Of the hub's own tools: HF_HUB_CACHE, HF_ENDPOINT and the like. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** transformers tells templates the local time; they print what they are told as UTC. */
function localTime(clock: Pick<Clock, 'wallTime'>): number {
  const now = clock.wallTime();
  return now - new Date(now).getTimezoneOffset() * 60_000;
}

/** All prompts that L0 remembers of one tokenizer; their number is the operator's. */
const L0_MAX_BYTES = 128 * 1024 * 1024;

export function tokenizerParts(
  config: Config,
  { clock, logger, metrics }: CommonParts,
  { directory, bundles, env }: TokenizerNeeds,
): TokenizerParts {
  const hub = new Hub(hubSettings(env, homedir()), new HttpFileFetcher(), (text) => logger.log('warn', text, {}));
  // The loop and the engine of the machine's own work need the other cores.
  const threads = Math.max(1, Math.min(4, availableParallelism() - 1));
  const pool = new EncodePool({ ...ENCODE_POOL, script: encodeScript(), threads }, clock);
  const run = inSlices({ clock, pause: setImmediate });
  const maker = new SharingMaker({
    createTokenizer: (files) => createWarmTokenizer(files, run),
    compileTemplate: ({ main, withTools }, { specialTokens }) => {
      const source = withTools === undefined ? main : { default: main, tool_use: withTools };
      const template = compileChatTemplate(source, { specialTokens, now: () => localTime(clock) });
      const { unusableReason: reason } = template;
      if (reason !== undefined) logger.log('warn', 'chat template cannot be compiled', { reason });
      return template;
    },
    pool,
    cache: cacheOptions(config),
  });
  const store = new TokenizerStore(
    {
      named: [config.tokenizerPath, config.modelPath].filter((each) => each !== undefined),
      template: config.chatTemplate,
      loadsByItself: !config.disableTokenizerAutoload,
    },
    {
      clock,
      directory,
      reader: new SourceReader(hub),
      bundles,
      maker,
      log: (level, message, fields) => logger.log(level, message, fields),
    },
  );
  metrics?.watchTokenizers(() => {
    const { l0, l1 } = maker.cacheView();
    const { tokenizerCacheEnableL0: hasL0, tokenizerCacheEnableL1: hasL1 } = config;
    return { loaded: maker.size, caches: { l0: hasL0 ? l0 : undefined, l1: hasL1 ? l1 : undefined } };
  });
  return { store };
}

/** Beside its pool, in whichever form this is run. */
function encodeScript(): URL {
  return new URL(`../tokenizers/encode-worker${extname(import.meta.url)}`, import.meta.url);
}

function cacheOptions(config: Config): ConstructorParameters<typeof SharingMaker>[0]['cache'] {
  const { tokenizerCacheEnableL0, tokenizerCacheL0MaxEntries, tokenizerCacheEnableL1, tokenizerCacheL1MaxMemory } =
    config;
  if (!tokenizerCacheEnableL0 && !tokenizerCacheEnableL1) return undefined;
  return {
    l0: tokenizerCacheEnableL0 ? { maxEntries: tokenizerCacheL0MaxEntries, maxBytes: L0_MAX_BYTES } : undefined,
    l1: tokenizerCacheEnableL1
      ? { maxEntries: Number.POSITIVE_INFINITY, maxBytes: tokenizerCacheL1MaxMemory }
      : undefined,
  };
}
