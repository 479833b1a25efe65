/**
 * Our tokenizer against the package `tokenizers` on real vocabularies: `node bench/tokenizer.ts [vocabulary …] [--keep]`,
 * `--keep` for bench/RESULTS.md.
 * Each vocabulary and side has a process of its own, so that "cold" is cold: the first pass of a fresh process.
 * Ours is warmed up as the server does it, which counts as loading.
 * Units  MB/s of UTF-8; µs for a prompt of 2 KB; ns for a pushed token; ms and MB for loading
 */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTokenizer } from '../src/pipeline/tokenizer/create-tokenizer.ts';
import { allAtOnce } from '../src/pipeline/tokenizer/steps.ts';
import { keep, provenance } from './report/results.ts';
import type { Section } from './report/section.ts';
import { renderSection } from './report/section.ts';
import { readVocabulary, vocabularyNames } from '../test/support/vocabularies.ts';

const TEXT_BYTES = 100_000;
const PROMPT_BYTES = 2048;
const WARM_MS = 600;
const root = fileURLToPath(new URL('..', import.meta.url));

type Kind = 'english' | 'code' | 'many';
const KINDS: readonly Kind[] = ['english', 'code', 'many'];

/** Files whose text is taken in turn until there is enough. */
const SOURCES: Readonly<Record<Kind, string>> = {
  english: '{LICENSE,README.md,docs/**/*.md,node_modules/*/{LICENSE,README.md}}',
  code: 'src/**/*.ts',
  many: 'node_modules/typescript/lib/*/diagnosticMessages.generated.json',
};

function textOf(kind: Kind): string {
  const files = globSync(SOURCES[kind], { cwd: root }).toSorted();
  const share = kind === 'many' ? Math.ceil(TEXT_BYTES / files.length) : TEXT_BYTES;
  let text = '';
  for (const file of files) {
    const whole = readFileSync(`${root}${file}`, 'utf8');
    text += whole.slice(0, share);
    if (Buffer.byteLength(text) >= TEXT_BYTES) break;
  }
  return Buffer.from(text).subarray(0, TEXT_BYTES).toString('utf8').toWellFormed();
}

interface Side {
  encode(text: string): unknown;
  clear?: () => void;
}

interface Figures {
  loadMs: number;
  memoryMb: number;
  cold: Record<string, number>;
  warm: Record<string, number>;
  cleared: Record<string, number>;
  promptUs: number;
  pushNs: number;
}

function loadOurs(name: string): { side: Side; pushNs: () => number } {
  const tokenizer = createTokenizer({ kind: 'tokenizer_json', ...readVocabulary(name) });
  allAtOnce(tokenizer.warmUp());
  const pushNs = (): number => {
    const ids = tokenizer.encode(textOf('english'), false);
    if (ids instanceof Promise) return Number.NaN;
    const decoder = tokenizer.createDecoder();
    let best = Infinity;
    for (let round = 0; round < 40; round++) {
      const start = performance.now();
      for (const id of ids) decoder.push(id);
      best = Math.min(best, ((performance.now() - start) * 1e6) / ids.length);
      decoder.end();
    }
    return best;
  };
  return {
    side: { encode: (text) => tokenizer.encode(text, false), clear: () => tokenizer.clearCache() },
    pushNs,
  };
}

async function loadTheirs(name: string): Promise<{ side: Side; pushNs: () => number }> {
  const { Tokenizer } = await import('tokenizers');
  const tokenizer = Tokenizer.fromString(readVocabulary(name).tokenizerJson);
  return {
    side: { encode: async (text) => (await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds() },
    pushNs: () => Number.NaN,
  };
}

async function pass(side: Side, text: string): Promise<number> {
  const start = performance.now();
  await side.encode(text);
  return performance.now() - start;
}

/** The shortest time of a pass: what other programs do to the machine only makes it longer. */
async function repeated(side: Side, text: string, before?: () => void): Promise<number> {
  const times: number[] = [];
  for (let total = 0; total < WARM_MS || times.length < 5; ) {
    before?.();
    const took = await pass(side, text);
    times.push(took);
    total += took;
  }
  return Math.min(...times);
}

function rate(text: string, ms: number): number {
  return Buffer.byteLength(text) / ms / 1000;
}

async function measure(name: string, isOurs: boolean): Promise<Figures> {
  const texts = new Map(KINDS.map((kind) => [kind, textOf(kind)]));
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const start = performance.now();
  const { side, pushNs } = isOurs ? loadOurs(name) : await loadTheirs(name);
  const loadMs = performance.now() - start;
  globalThis.gc?.();
  const figures: Figures = { loadMs, memoryMb: 0, cold: {}, warm: {}, cleared: {}, promptUs: 0, pushNs: 0 };
  for (const [kind, text] of texts) figures.cold[kind] = rate(text, await pass(side, text));
  figures.memoryMb = (process.memoryUsage().rss - before) / 1e6;
  for (const [kind, text] of texts) {
    figures.warm[kind] = rate(text, await repeated(side, text));
    figures.cleared[kind] = side.clear === undefined ? Number.NaN : rate(text, await repeated(side, text, side.clear));
  }
  const prompt = (texts.get('english') ?? '').slice(0, PROMPT_BYTES);
  figures.promptUs = (await repeated(side, prompt)) * 1000;
  figures.pushNs = pushNs();
  return figures;
}

function measureApart(name: string, who: string): Figures | undefined {
  const flags = ['--expose-gc', fileURLToPath(import.meta.url), '--measure', name, who];
  const child = spawnSync(process.execPath, flags, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return child.status === 0 ? (JSON.parse(child.stdout) as Figures) : undefined;
}

function cells(figures: Figures | undefined): string[] {
  if (figures === undefined) return ['not measured', '', '', '', '', ''];
  const show = (value: number | null | undefined, digits = 1) =>
    value === null || value === undefined ? '-' : value.toFixed(digits);
  const speeds = KINDS.map(
    (kind) => `${show(figures.cold[kind])} / ${show(figures.warm[kind])} / ${show(figures.cleared[kind])}`,
  );
  const rest = [
    show(figures.promptUs),
    `${show(figures.loadMs, 0)} / ${show(figures.memoryMb, 0)}`,
    show(figures.pushNs, 0),
  ];
  return [...speeds, ...rest];
}

const COLUMNS = ['vocabulary', 'side', 'English', 'code', '13 languages', '2 KB µs', 'load ms / MB', 'push ns'];
const NOTE = 'MB/s: first pass / warm / cache cleared before each pass; times: first pass, warm, by kind of text';

function report(names: readonly string[], isKept: boolean): void {
  const rows: string[][] = [];
  const english: { readonly cold: number; readonly warm: number }[] = [];
  for (const name of names) {
    const ours = measureApart(name, 'ours');
    const theirs = measureApart(name, 'tokenizers');
    rows.push([name, 'ours', ...cells(ours)], [name, 'tokenizers', ...cells(theirs)]);
    if (ours === undefined || theirs === undefined) continue;
    const times = (of: 'cold' | 'warm', kind: Kind) => (ours[of][kind] ?? 0) / (theirs[of][kind] ?? 1);
    const shown = KINDS.map((kind) => `${times('cold', kind).toFixed(1)} ×, ${times('warm', kind).toFixed(1)} ×`);
    rows.push([name, 'times', ...shown, '', '', '']);
    english.push({ cold: times('cold', 'english'), warm: times('warm', 'english') });
  }
  const least = (of: 'cold' | 'warm') => Math.min(...english.map((each) => each[of]));
  const section: Section = {
    title: 'Tokenizers: our engine against the package `tokenizers`',
    provenance: {
      ...provenance(root, 'one process each, one after the other'),
      command: 'node bench/tokenizer.ts --keep',
    },
    table: { columns: COLUMNS, rows },
    goals: [
      { name: 'English, warm, the least of them', value: least('warm'), limit: 5, direction: 'at least', unit: ' ×' },
      { name: 'English, first pass, the least', value: least('cold'), limit: 3, direction: 'at least', unit: ' ×' },
    ],
    notes: [NOTE],
    failures: [],
  };
  console.log(renderSection(section));
  if (isKept) keep(join(root, 'bench'), 'tokenizer', section, english);
}

const [mode, name, who] = process.argv.slice(2);
if (mode === '--measure' && name !== undefined) console.log(JSON.stringify(await measure(name, who === 'ours')));
else {
  const names = process.argv.slice(2).filter((each) => each !== '--keep');
  report(names.length > 0 ? names : vocabularyNames, process.argv.includes('--keep'));
}
