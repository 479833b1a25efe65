/** Taking a founding guide apart into the commands that stand in it, and running them as a reader would. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const root = new URL('../../', import.meta.url);
const run = promisify(execFile);

/** The commands of a block: comments left out, lines that go on behind a backslash or inside quotes kept together. */
export function commandsOf(text: string): string[] {
  const commands: string[] = [];
  let command = '';
  for (const line of text.split('\n')) {
    if (command === '' && (line.trim() === '' || line.startsWith('#'))) continue;
    command += `${line}\n`;
    const isInQuotes = command.split("'").length % 2 === 0;
    if (isInQuotes || line.endsWith('\\')) continue;
    commands.push(command.trim());
    command = '';
  }
  assert.equal(command, '', `a command without an end: ${command}`);
  return commands;
}

export interface Started {
  /** The gateway's address; undefined when the command ended instead. */
  readonly url: string | undefined;
  readonly text: string;
  readonly code: number | null;
}

/** Runs an `smg` command until it says where it listens, or ends. */
export function startSmg(
  t: TestContext,
  command: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Started> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^SMG_|_API_KEY$/.test(name)));
  const local = command.replace(/^smg/, `exec ${process.execPath} src/main.ts`);
  const child = spawn('bash', ['-c', local], {
    cwd: root,
    env: { ...env, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise((resolve) => {
    child.on('close', resolve);
  });
  // By a signal that it hears: `smg serve` ends its engines with itself.
  t.after(() => {
    child.kill('SIGINT');
    return closed;
  });
  return new Promise((resolve) => {
    let text = '';
    const hear = (chunk: Buffer) => {
      text += String(chunk);
      const url = /^listening at (\S+):/m.exec(text)?.[1];
      if (url !== undefined) resolve({ url: url.replace('localhost', '127.0.0.1'), text, code: null });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('close', (code) => resolve({ url: undefined, text, code }));
  });
}

/** Runs a `curl` command; the body of its answer, which has to be a good one. */
export async function curl(command: string): Promise<string> {
  const { stdout } = await run('bash', ['-c', command.replace(/^curl/, 'curl --silent --show-error --fail')]);
  return stdout;
}
