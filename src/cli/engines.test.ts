/** Engine processes, tried with small programs in place of engines: readiness, failure, and that none survives. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { EnginePlan } from './engine-plan.ts';
import { describeFailure, EngineFailure, startEngines } from './engines.ts';
import { choosePorts } from './ports.ts';

const never = new AbortController().signal;

const SILENT = 'setInterval(() => {}, 1000); return';

/** A program that runs `before`, then answers every request with 200 unless `before` returns. */
async function planOf(before: string, label = 'fake 1'): Promise<EnginePlan> {
  const [port = 0] = await choosePorts({ host: '127.0.0.1', base: 0, count: 1, reserved: [] });
  const server = `require('http').createServer((_, answer) => answer.end()).listen(${port}, '127.0.0.1')`;
  const args = ['-e', `(() => { ${before}; ${server} })()`];
  return { label, command: process.execPath, args, env: {}, url: `http://127.0.0.1:${port}`, install: 'install it' };
}

function start(t: TestContext, plans: readonly EnginePlan[], stopTimeoutMs = 20_000) {
  const lines: string[] = [];
  const engines = startEngines(plans, { log: (line) => lines.push(line), stopTimeoutMs });
  t.after(() => engines.stop(Promise.resolve()));
  return { engines, lines };
}

/** Connects to the process behind `url`; `ended` resolves when that process does: the system closes its connections. */
async function watch(url: string): Promise<{ readonly ended: Promise<void> }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  // A reset is an end like any other.
  socket.on('error', () => undefined).resume();
  return { ended: new Promise((resolve) => socket.once('close', () => resolve())) };
}

test('waits until every engine answers, then ends them all', async (t) => {
  const plans = [await planOf(''), await planOf('', 'fake 2')];
  const { engines } = start(t, plans);
  await engines.untilReady(60_000, never);
  assert.equal(engines.started.length, 2);
  const watched = await Promise.all(plans.map((plan) => watch(plan.url)));
  await engines.stop();
  await Promise.all(watched.map(({ ended }) => ended));
});

test('an engine that ends before it is ready fails at once, with its last lines', async (t) => {
  const dead = await planOf("console.error('no memory left'); process.exit(3)");
  const { engines, lines } = start(t, [await planOf('', 'fake 2'), dead]);
  await assert.rejects(engines.untilReady(60_000, never), (error: unknown) => {
    assert.ok(error instanceof EngineFailure);
    assert.match(error.message, /engine fake 1 ended with exit code 3 before it was ready; .*\n {2}no memory left/);
    return true;
  });
  assert.ok(lines.includes('[fake 1] no memory left'));
});

test('an engine that stays silent fails when the time is over', async (t) => {
  const { engines } = start(t, [await planOf(SILENT)]);
  await assert.rejects(engines.untilReady(1, never), /engine fake 1 did not answer GET \/health within 0.001 seconds/);
});

test('waiting ends when it is interrupted', async (t) => {
  const { engines } = start(t, [await planOf(SILENT)]);
  await assert.rejects(engines.untilReady(60_000, AbortSignal.abort()), { name: 'AbortError' });
});

test('a program that does not exist is a failure that says what to install', async (t) => {
  const { engines } = start(t, [{ ...(await planOf('')), command: 'no-such-engine' }]);
  await assert.rejects(
    engines.untilReady(60_000, never),
    /engine fake 1 cannot be started, no-such-engine is not there; install it/,
  );
  assert.deepEqual(engines.started, []);
});

test('a missing Python module is told like a missing program', () => {
  const plan = { label: 'sglang 1', command: 'python3', args: ['-m', 'sglang.launch_server'], env: {}, url: '' };
  const tail = ["python3: Error while finding module specification (ModuleNotFoundError: No module named 'sglang')"];
  assert.equal(
    describeFailure({ ...plan, install: 'install SGLang' }, 'ended with exit code 1', tail),
    'engine sglang 1 cannot be started, python3 -m sglang.launch_server is not there; install SGLang',
  );
});

test('an engine that does not end by itself is ended by force after the limit', async (t) => {
  const plan = await planOf("process.on('SIGTERM', () => console.log('not now'))");
  const { engines } = start(t, [plan], 1);
  await engines.untilReady(60_000, never);
  const { ended } = await watch(plan.url);
  await engines.stop();
  await ended;
});

test('a hurry ends engines by force before the limit', async (t) => {
  const plan = await planOf("process.on('SIGTERM', () => console.log('not now'))");
  const { engines } = start(t, [plan], 1_000_000);
  await engines.untilReady(60_000, never);
  await engines.stop(Promise.resolve());
});

test('the children of an engine end with it', async (t) => {
  const child = await planOf('');
  const spawnChild = `require('child_process').spawn(process.execPath, ${JSON.stringify(child.args)}, { stdio: 'ignore' })`;
  const parent = await planOf(spawnChild);
  const { engines } = start(t, [parent, { ...(await planOf('')), label: 'fake 2', url: child.url }]);
  // The second plan's URL is the child's: ready means that the child answers.
  await engines.untilReady(60_000, never);
  const { ended } = await watch(child.url);
  await engines.stop();
  await ended;
});

test('the loss of the last engine is told, its end on request is not', async (t) => {
  const lost = await planOf("process.stdin.on('end', () => {})");
  const { engines, lines } = start(t, [lost]);
  await engines.untilReady(60_000, never);
  const [only] = engines.started;
  assert.ok(only);
  process.kill(only.pid, 'SIGKILL');
  await engines.lost;
  assert.ok(lines.includes('[fake 1] was ended by SIGKILL'));

  const kept = start(t, [await planOf('')]);
  await kept.engines.untilReady(60_000, never);
  await kept.engines.stop();
  assert.deepEqual(kept.lines, []);
});
