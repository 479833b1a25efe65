/** The scheduler file as an option: read at the start, strict, and all of its problems at once. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { loadConfig } from './load.ts';

function fileFor(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'smg-classes-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'classes.yaml');
  writeFileSync(path, text);
  return path;
}

const on = { prioritySchedulerEnabled: true };

test('a good file becomes settings', (t) => {
  const path = fileFor(t, 'classes:\n  bulk: {queue_size: 7}\ntenant_policies:\n  acme: {max_class: system}\n');
  const loaded = loadConfig({ flags: { ...on, prioritySchedulerConfig: path } });
  assert.ok(loaded.ok);
  const { prioritySchedulerConfig: settings } = loaded.config;
  assert.deepEqual([settings?.classes[3]?.queueSize, settings?.maxClassOf.get('acme')], [7, 'system']);
});

test('a bad file stops the start with one line for each problem', (t) => {
  const path = fileFor(t, 'classes:\n  bulk: {queue_sise: 7, can_preempt: 1}\n');
  const loaded = loadConfig({ flags: { ...on, prioritySchedulerConfig: path } });
  assert.ok(!loaded.ok);
  const start = `flag --priority-scheduler-config: file ${path}, classes.bulk.`;
  assert.deepEqual(
    loaded.problems.map((line) => line.startsWith(start)),
    [true, true],
  );
  for (const text of ['classes: [', 'nothing but text']) {
    const broken = loadConfig({ flags: { ...on, prioritySchedulerConfig: fileFor(t, text) } });
    assert.ok(!broken.ok && broken.problems.length > 0);
  }
  const missing = loadConfig({ flags: { ...on, prioritySchedulerConfig: `${path}.not` } });
  assert.ok(!missing.ok);
  assert.match(missing.problems.join(), /there is no such file/);
});

test('a file that would have no effect is a mistake', (t) => {
  const loaded = loadConfig({ flags: { prioritySchedulerConfig: fileFor(t, '{}') } });
  assert.ok(!loaded.ok);
  assert.match(loaded.problems.join(), /no effect without --priority-scheduler-enabled/);
});

test('a cap is at least 1, or -1 for none', () => {
  const reads = (value: unknown) => loadConfig({ flags: { maxConcurrentRequests: value } }).ok;
  assert.deepEqual(['-1', '1', 64, '0', '-2', '1.5', 'many'].map(reads), [
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
