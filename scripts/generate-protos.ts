/**
 * Makes src/backends/grpc/gen from proto/ with buf and protoc-gen-es. With --check it writes nothing and fails when what
 * is there is stale. Needs no network: both come with the development packages.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TARGET = join('src', 'backends', 'grpc', 'gen');
const BIN = join(ROOT, 'node_modules', '.bin');

/** Generates into the target below `base`; ends the process when the tools fail. */
function generateInto(base: string): void {
  const args = ['generate', 'proto', '--template', 'proto/buf.gen.yaml', '--clean', '--output', base];
  const env = { ...process.env, PATH: `${BIN}${delimiter}${process.env['PATH'] ?? ''}` };
  const { status, error, stderr } = spawnSync(join(BIN, 'buf'), args, { cwd: ROOT, env, encoding: 'utf8' });
  if (status === 0) return;
  process.stderr.write(`buf failed: ${error?.message ?? stderr}\n`);
  process.exit(1);
}

function filesIn(folder: string): ReadonlyMap<string, string> {
  if (!existsSync(folder)) return new Map();
  return new Map(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
}

function check(): void {
  const fresh = mkdtempSync(join(tmpdir(), 'protos-'));
  try {
    generateInto(fresh);
    const [wanted, present] = [filesIn(join(fresh, TARGET)), filesIn(join(ROOT, TARGET))];
    const names = [...new Set([...wanted.keys(), ...present.keys()])];
    const stale = names.filter((name) => wanted.get(name) !== present.get(name));
    if (stale.length === 0) return;
    process.stderr.write(`Stale in ${TARGET}: ${stale.join(', ')}; run \`node scripts/generate-protos.ts\`\n`);
    process.exitCode = 1;
  } finally {
    rmSync(fresh, { recursive: true });
  }
}

if (process.argv.includes('--check')) check();
else generateInto(ROOT);
