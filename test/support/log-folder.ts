/** A folder for the log of a gateway under test, gone with the test. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'smg-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Everything that was logged there. */
export function readLog(folder: string): string {
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('');
}
