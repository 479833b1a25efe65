/**
 * node bench/tokenizer-cache.ts: what the tokenizer cache is worth on conversations that come again turn by turn, each a
 * rendered prompt that begins with all that was said before. Prints a row for each vocabulary and kind of cache; the ids
 * are compared with those of the tokenizer alone.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { boundaryTokens } from '../src/pipeline/tokenizer-cache/boundaries.ts';
import { CachedTokenizer } from '../src/pipeline/tokenizer-cache/cached-tokenizer.ts';
import type { TokenizerCacheOptions } from '../src/pipeline/tokenizer-cache/cached-tokenizer.ts';
import { createTokenizer } from '../src/pipeline/tokenizer/create-tokenizer.ts';
import type { Tokenizer } from '../src/domain/tokenizer.ts';
import { readVocabulary } from '../test/support/vocabularies.ts';

const CONVERSATIONS = 40;
const TURNS = 10;
const ROUNDS = 5;
const L0 = { maxEntries: 10_000, maxBytes: 128 * 1024 * 1024 };
const L1 = { maxEntries: Number.POSITIVE_INFINITY, maxBytes: 50 * 1024 * 1024 };

/** How each vocabulary's models write a turn. */
const FORMS: Readonly<Record<string, (role: string, text: string) => string>> = {
  qwen3: (role, text) => `<|im_start|>${role}\n${text}<|im_end|>\n`,
  llama3_1: (role, text) => `<|start_header_id|>${role}<|end_header_id|>\n\n${text}<|eot_id|>`,
  gemma3: (role, text) => `<start_of_turn>${role}\n${text}<end_of_turn>\n`,
};

/** The pages of the project, one after the other: text that nobody has made for this. */
function pages(): string {
  const folder = join(import.meta.dirname, '..', 'docs');
  const names = readdirSync(folder, { recursive: true }).map(String);
  const texts = names.filter((name) => name.endsWith('.md')).map((name) => readFileSync(join(folder, name), 'utf8'));
  return texts.join('\n');
}

/** Every prompt in the order in which it comes: all conversations take their turns side by side. */
function prompts(turn: (role: string, text: string) => string, round: number): string[] {
  const text = pages();
  let at = round * 7_919;
  const next = (length: number) => {
    at = (at + 10_007) % (text.length - 3_000);
    return text.slice(at, at + length);
  };
  const system = turn('system', text.slice(0, 2_000));
  const talks = Array.from({ length: CONVERSATIONS }, () => system);
  const all: string[] = [];
  for (let i = 0; i < TURNS; i += 1) {
    for (let each = 0; each < CONVERSATIONS; each += 1) {
      talks[each] += turn('user', next(300));
      all.push(`${talks[each]}${turn('assistant', '').split('\n')[0]}\n`);
      talks[each] += turn('assistant', next(700));
    }
  }
  return all;
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? 0;
}

/** Microseconds for a call, each round with texts of its own. */
function measure(make: () => Tokenizer, rounds: readonly string[][]): number {
  const tokenizer = make();
  return median(
    rounds.map((texts) => {
      const began = performance.now();
      for (const text of texts) void tokenizer.encode(text, false);
      return ((performance.now() - began) * 1_000) / texts.length;
    }),
  );
}

console.log('| vocabulary | cache | µs a prompt | times faster | hits L0 / L1 | memory MiB |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const [name, turn] of Object.entries(FORMS)) {
  const files = readVocabulary(name);
  const plain = createTokenizer({ kind: 'tokenizer_json', ...files });
  const boundaries = boundaryTokens(
    JSON.parse(files.tokenizerJson) as Record<string, unknown>,
    JSON.parse(files.configJson) as Record<string, unknown>,
  );
  const rounds = Array.from({ length: ROUNDS }, (_, i) => prompts(turn, i));
  const chars = rounds.flat().reduce((sum, { length }) => sum + length, 0) / rounds.flat().length;
  const alone = measure(() => plain, [...rounds, ...rounds].slice(ROUNDS - 1));
  console.log(`| ${name}, ${Math.round(chars)} characters | none | ${alone.toFixed(1)} | 1 | | |`);
  const kinds: Readonly<Record<string, Pick<TokenizerCacheOptions, 'l0' | 'l1'>>> = {
    L0: { l0: L0, l1: undefined },
    L1: { l0: undefined, l1: L1 },
    'L0 and L1': { l0: L0, l1: L1 },
    'L0, every prompt a second time': { l0: L0, l1: undefined },
  };
  for (const [kind, levels] of Object.entries(kinds)) {
    const cached = new CachedTokenizer(plain, { ...levels, boundaries, maxFreshChars: 65_536 });
    const texts = kind.includes('second') ? rounds.map((each) => [...each, ...each]) : rounds;
    const time = measure(() => cached, texts);
    for (const text of rounds[0] ?? [])
      if (String(await cached.encode(text, false)) !== String(await plain.encode(text, false)))
        throw new Error('wrong ids');
    const { l0, l1 } = cached.view();
    const rate = (level: typeof l0) =>
      level ? `${Math.round((100 * level.hits) / (level.hits + level.misses))} %` : '–';
    const bytes = ((l0?.bytes ?? 0) + (l1?.bytes ?? 0)) / 1024 / 1024;
    const row = [kind, time.toFixed(1), (alone / time).toFixed(1), `${rate(l0)} / ${rate(l1)}`, bytes.toFixed(1)];
    console.log(`| ${name} | ${row.join(' | ')} |`);
  }
}
