/**
 * What translation carries, adapts and loses, as tables: read from the files against which the contract suite of
 * translation compares, so that the page cannot say anything that is not tested.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const APIS = {
  chat: 'Chat completions (OpenAI)',
  messages: 'Messages (Anthropic)',
  responses: 'Responses (OpenAI)',
  gemini: 'generateContent (Gemini)',
} as const;
type Api = keyof typeof APIS;
const apis = Object.keys(APIS) as Api[];

/** Whom requests go to; the last ones speak an API of the first in their own way. */
const TARGETS = {
  ...APIS,
  xai: 'xAI (responses)',
  mistral: 'Mistral (chat)',
  deepseek: 'DeepSeek (chat)',
  engine: 'own engines (chat)',
} as const;
type Target = keyof typeof TARGETS;
const targets = Object.keys(TARGETS) as Target[];

const ROOT = new URL('../test/fixtures/translation/', import.meta.url);

interface Case {
  readonly name: string;
  readonly row: string;
}

function cases(): Case[] {
  const folders = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.map(({ name }) => {
    const { row } = JSON.parse(readFileSync(new URL(`${name}/case.json`, ROOT), 'utf8')) as { readonly row: string };
    return { name, row };
  });
}

function expected(name: string, file: string): string | undefined {
  const url = new URL(`${name}/expected/${file}`, ROOT);
  return existsSync(url) ? readFileSync(url, 'utf8') : undefined;
}

/** Lines such as `lost: seed is not known there`, as words of a cell. */
function verdict(lines: readonly string[]): string {
  if (lines.length === 0) return 'carried';
  return (['lost', 'changed'] as const)
    .flatMap((kind) => {
      const fields = lines.filter((line) => line.startsWith(`${kind}: `)).map((line) => line.split(' ')[1] ?? '');
      const names = [...new Set(fields)].map((field) => `\`${field}\``).join(', ');
      return fields.length === 0 ? [] : [`${kind === 'lost' ? '**lost**' : 'adapted'}: ${names}`];
    })
    .join('; ');
}

interface RequestOutcome {
  readonly refused?: string;
  readonly param?: string;
  readonly warnings?: readonly string[];
}

function requestCell(name: string, from: Api, to: Target): string | undefined {
  const text = expected(name, `request.${from}-${to}.json`);
  if (text === undefined) return undefined;
  const { refused, param, warnings = [] } = JSON.parse(text) as RequestOutcome;
  return refused === undefined ? verdict(warnings) : `**refused**: \`${param ?? 'body'}\``;
}

/** The stream's verdict where there is one, else that of the whole answer. */
function answerCell(name: string, from: Api, to: Api): string | undefined {
  const stream = expected(name, `answer.${from}-${to}.sse`);
  if (stream !== undefined) {
    const told = stream.split('\n').filter((line) => /^: (lost|changed): /.test(line));
    return verdict(told.map((line) => line.slice(2)));
  }
  const whole = expected(name, `answer.${from}-${to}.json`);
  return whole && verdict((JSON.parse(whole) as RequestOutcome).warnings ?? []);
}

type CellOf<Column extends Target> = (name: string, column: Column) => string | undefined;

function tableOf<Column extends Target>(
  all: readonly Case[],
  columns: readonly Column[],
  cellOf: CellOf<Column>,
): string {
  const rows = all.flatMap(({ name, row }) => {
    const cells = columns.map((column) => cellOf(name, column));
    if (cells.every((cell) => cell === undefined)) return [];
    return [[`${row} (\`${name}\`)`, ...cells.map((cell) => cell ?? '–')]];
  });
  const lines = [['Case', ...columns.map((column) => TARGETS[column])], ['---', ...columns.map(() => '---')], ...rows];
  return lines.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

export function translationPage(mark: string): string {
  const all = cases();
  const requests = apis.map((from) => {
    const cells: CellOf<Target> = (name, to) => requestCell(name, from, to);
    return `### A client of ${APIS[from]}\n\n${tableOf(all, targets, cells)}`;
  });
  const answers = apis.map((to) => {
    const cells: CellOf<Api> = (name, from) => answerCell(name, from, to);
    return `### For a client of ${APIS[to]}\n\n${tableOf(all, apis, cells)}`;
  });
  return `${mark}

# What translation carries

Each line is a case of the contract suite (\`test/fixtures/translation/\`), which holds the bodies. A cell says what
becomes of it: **carried** as it is, **adapted** (it arrives in another form or with another value, and the warning names
the field), **lost** (the API of the worker has no place for it; the warning names the field, and \`--strict-translation\`
makes it a 400), or **refused** with 400 at once. Where client and worker speak the same API and nothing has to change,
bytes pass and no row of this page applies: the columns of a client's own API show what a trip through the gateway's inner
form would do.

## Requests

Columns are the workers: the four APIs at the providers that made them, and others that speak one of these.

${requests.join('\n\n')}

## Answers

Columns are the API of the worker that answers.

${answers.join('\n\n')}
`;
}
