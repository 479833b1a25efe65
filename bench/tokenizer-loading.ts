/**
 * node bench/tokenizer-loading.ts [vocabulary …]: how long the loop stands still while a model is loaded, from the files
 * on the disk to what the spine is given. Each vocabulary has a process of its own, as the first one that a gateway loads.
 * Units  ms; the longest stall is what the histogram of the loop's delay says, less what it says of an idle loop
 */
import { spawnSync } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/base/clock.ts';
import { compileChatTemplate } from '../src/pipeline/template/chat-template.ts';
import { createWarmTokenizer } from '../src/tokenizers/create-tokenizer.ts';
import { ENCODE_POOL, EncodePool } from '../src/tokenizers/encode-pool.ts';
import { SharingMaker } from '../src/tokenizers/model-maker.ts';
import { readModelPath } from '../src/tokenizers/read-path.ts';
import { inSlices } from '../src/tokenizers/slices.ts';
import { folderOfVocabulary, vocabularyNames } from '../test/support/vocabularies.ts';

const ROUNDS = 3;
/** After the model is there: what still goes on in the background. */
const AFTER_MS = 600;

interface Figures {
  readonly totalMs: number;
  readonly longestMs: number;
  readonly afterMs: number;
  /** Of the first prompt, of some 2 KB. */
  readonly firstMs: number;
}

async function measure(name: string): Promise<Figures> {
  const run = inSlices({ clock: systemClock, pause: setImmediate });
  const maker = new SharingMaker({
    createTokenizer: (files) => createWarmTokenizer(files, run),
    compileTemplate: ({ main }, { specialTokens }) => compileChatTemplate(main, { specialTokens, now: () => 0 }),
    pool: new EncodePool({ ...ENCODE_POOL, script: new URL('file:///none'), threads: 1 }, systemClock),
    cache: undefined,
  });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await setTimeout(200);
  const idle = delay.percentile(50) / 1e6;
  delay.reset();
  const start = performance.now();
  const files = await readModelPath(folderOfVocabulary(name));
  const { tokenizer } = await maker.make(files, { source: name, template: undefined, holder: {} });
  const totalMs = performance.now() - start;
  await setTimeout(5);
  const longestMs = delay.max / 1e6 - idle;
  delay.reset();
  await setTimeout(AFTER_MS);
  const afterMs = delay.max / 1e6 - idle;
  delay.disable();
  const began = performance.now();
  await tokenizer.encode('The quick brown fox jumps over the lazy dog, as it did before. '.repeat(32), false);
  return { totalMs, longestMs, afterMs, firstMs: performance.now() - began };
}

function measureApart(name: string): Figures {
  const all = Array.from({ length: ROUNDS }, (): Figures => {
    const flags = ['--max-semi-space-size=4', fileURLToPath(import.meta.url), '--measure', name];
    const { status, stdout } = spawnSync(process.execPath, flags, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (status !== 0) throw new Error(`${name} could not be measured`);
    return JSON.parse(stdout) as Figures;
  });
  // What other programs do to the machine only makes it longer.
  const least = (key: keyof Figures) => Math.min(...all.map((each) => each[key]));
  return {
    totalMs: least('totalMs'),
    longestMs: least('longestMs'),
    afterMs: least('afterMs'),
    firstMs: least('firstMs'),
  };
}

const [mode, name] = process.argv.slice(2);
if (mode === '--measure' && name !== undefined) console.log(JSON.stringify(await measure(name)));
else {
  console.log('| vocabulary | until it serves | longest stall until then | longest stall behind it | first 2 KB |');
  console.log('| --- | --- | --- | --- | --- |');
  for (const each of process.argv.length > 2 ? process.argv.slice(2) : vocabularyNames) {
    const { totalMs, longestMs, afterMs, firstMs } = measureApart(each);
    const cells = [totalMs, longestMs, afterMs, firstMs].map((ms) => ms.toFixed(1));
    console.log(`| ${each} | ${cells.join(' | ')} |`);
  }
}
