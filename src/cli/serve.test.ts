/** The `smg` process with a gateway in it, alone and with simulated engines: how it starts, and that all of it ends. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Any free ports, no need of workers, and no time for load balancers to look away: nobody watches. */
const QUICK = ['--port=0', '--prometheus-port=0', '--drain-settle-secs=0', '--enable-igw'];
const DEMO = ['serve', '--backend=sim', '--dp-size=2', '--worker-base-port=0', '--health-check-interval-secs=1'];

/** Throws when it is told to, like any fault that nobody thought of. */
const FAULT = 'data:text/javascript,process.on("SIGUSR2",()=>{throw new Error("a fault")})';

class Run {
  readonly child: ChildProcess;
  readonly out: string[] = [];
  readonly err: string[] = [];
  readonly ended: Promise<number | null>;
  #look: () => void = () => undefined;

  constructor(t: TestContext, words: readonly string[], nodeOptions: readonly string[] = []) {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SMG_')));
    const args = [...nodeOptions, 'src/main.ts', ...words];
    this.child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#collect(this.child.stdout, this.out);
    this.#collect(this.child.stderr, this.err);
    this.ended = once(this.child, 'close').then(([code]: (number | null)[]) => code ?? null);
    void this.ended.then(() => this.#look());
    t.after(async () => {
      // Two different signals: the first one may be waiting for a drain.
      this.child.kill('SIGTERM');
      this.child.kill('SIGINT');
      await this.ended;
    });
  }

  #collect(stream: Readable | null, into: string[]): void {
    assert.ok(stream);
    createInterface({ input: stream }).on('line', (line) => {
      into.push(line);
      this.#look();
    });
  }

  /** The first groups of the first line that fits, as soon as it is there; fails when the process ends without it. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = [...this.out, ...this.err].map((line) => pattern.exec(line)).find((match) => match !== null);
      if (found) return found[1] ?? found[0];
      assert.equal(this.child.exitCode, null, `no ${pattern} in:\n${[...this.out, ...this.err].join('\n')}`);
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
  }

  url(): Promise<string> {
    return this.line(/^listening at (\S+):/);
  }

  /** What was announced of each engine. */
  engines(): { url: string; pid: number }[] {
    return this.out.flatMap((line) => {
      const [, url, pid] = /^engine .*: (\S+), process (\d+)$/.exec(line) ?? [];
      return url === undefined ? [] : [{ url, pid: Number(pid) }];
    });
  }
}

/** Connects to `url`; `ended` resolves when the process behind it has: the system closes its connections. */
async function watch({ url }: { url: string }): Promise<{ readonly ended: Promise<void> }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.on('error', () => undefined).resume();
  return { ended: new Promise((resolve) => socket.once('close', () => resolve())) };
}

function isAlive({ pid }: { pid: number }): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A port that somebody else listens on. */
async function busyPort(t: TestContext): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

async function chat(url: string): Promise<Response> {
  return await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sim-model', messages: [{ role: 'user', content: 'Hello!' }] }),
  });
}

test('launch says what runs and where, and SIGINT ends it with exit code 0', async (t) => {
  const smg = new Run(t, ['launch', '--policy', 'random', ...QUICK]);
  assert.match(await smg.line(/^Shepherd Model Gateway .*/), /\d+\.\d+\.\d+/);
  assert.match(await smg.line(/^listening at .*/), /: no workers yet, policy random$/);
  const metricsUrl = await smg.line(/^metrics at (.*)/);
  assert.equal((await fetch(`${await smg.url()}/liveness`)).status, 200);
  assert.equal((await fetch(metricsUrl)).status, 200);
  smg.child.kill('SIGINT');
  assert.equal(await smg.ended, 0);
});

test('no command is launch', async (t) => {
  const smg = new Run(t, QUICK);
  await smg.url();
  smg.child.kill('SIGTERM');
  assert.equal(await smg.ended, 0);
});

test('with --log-json standard output has JSON lines only', async (t) => {
  const smg = new Run(t, [...QUICK, '--log-json']);
  await smg.line(/"url":"[^"]+"/);
  smg.child.kill('SIGTERM');
  assert.equal(await smg.ended, 0);
  for (const line of smg.out) assert.equal(typeof JSON.parse(line), 'object');
});

test('a busy port ends the start with exit code 1 and one line that names it', async (t) => {
  const port = await busyPort(t);
  for (const flags of [
    ['--port', `${port}`, '--prometheus-port=0'],
    ['--port=0', '--prometheus-port', `${port}`],
  ]) {
    const smg = new Run(t, [...flags, '--host=127.0.0.1', '--prometheus-host=127.0.0.1', '--enable-igw']);
    assert.equal(await smg.ended, 1);
    assert.equal(smg.err.length, 1);
    assert.match(smg.err[0] ?? '', new RegExp(`^smg: .*\\b${port}\\b.*in use`));
  }
});

test('a second signal ends a gateway that is still draining, with exit code 1', async (t) => {
  const smg = new Run(t, [
    '--port=0',
    '--disable-metrics',
    '--enable-igw',
    '--drain-settle-secs=1000',
    '--shutdown-grace-period-secs=2000',
  ]);
  const url = await smg.url();
  smg.child.kill('SIGTERM');
  while (!(await (await fetch(`${url}/readiness`)).text()).includes('draining'));
  smg.child.kill('SIGTERM');
  assert.equal(await smg.ended, 1);
});

test('an unexpected fault is told and ends the process with exit code 1', async (t) => {
  const smg = new Run(t, QUICK, ['--import', FAULT]);
  await smg.url();
  smg.child.kill('SIGUSR2');
  assert.equal(await smg.ended, 1);
  assert.match(smg.err.join('\n'), /^smg: ended by an unexpected error: Error: a fault$/m);
});

test('serve starts engines and a gateway that answers through them, and SIGTERM ends all of it', async (t) => {
  const smg = new Run(t, [...DEMO, ...QUICK]);
  const url = await smg.url();
  assert.match(await smg.line(/^listening at .*/), /: 2 workers, /);
  // Printed when a worker is ready.
  assert.equal(await smg.line(/^curl (\S+)/), `${url.replace('0.0.0.0', 'localhost')}/v1/chat/completions`);
  const answer = await chat(url);
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /"choices"/);

  const engines = smg.engines();
  assert.equal(new Set(engines.map((engine) => engine.pid)).size, 2);
  const watched = await Promise.all(engines.map(watch));
  smg.child.kill('SIGTERM');
  assert.equal(await smg.ended, 0);
  await Promise.all(watched.map(({ ended }) => ended));
  assert.deepEqual(engines.filter(isAlive), []);
});

test('serve ends its engines when the gateway cannot be started', async (t) => {
  // An address of documentation networks: never one of this machine.
  const smg = new Run(t, [...DEMO, ...QUICK, '--host=192.0.2.1']);
  assert.equal(await smg.ended, 1);
  assert.equal(smg.engines().length, 2);
  assert.deepEqual(smg.engines().filter(isAlive), []);
});

test('serve asks for its ports before it starts engines', async (t) => {
  const port = await busyPort(t);
  const smg = new Run(t, [...DEMO, '--host=127.0.0.1', '--port', `${port}`, '--prometheus-port=0']);
  assert.equal(await smg.ended, 1);
  assert.deepEqual(smg.err, [`smg: port ${port} on 127.0.0.1 is already in use`]);
  assert.deepEqual(smg.engines(), []);
});

test('engines end when the process dies of a fault', async (t) => {
  const smg = new Run(t, [...DEMO, ...QUICK], ['--import', FAULT]);
  await smg.url();
  const watched = await Promise.all(smg.engines().map(watch));
  smg.child.kill('SIGUSR2');
  assert.equal(await smg.ended, 1);
  await Promise.all(watched.map(({ ended }) => ended));
});

test('a signal while the engines start ends them and the process with exit code 0', async (t) => {
  const smg = new Run(t, [...DEMO, ...QUICK]);
  await smg.line(/^engine sim 2: /);
  smg.child.kill('SIGTERM');
  assert.equal(await smg.ended, 0);
  assert.deepEqual(smg.engines().filter(isAlive), []);
});

test('an engine that cannot start ends serve with exit code 1 and its last lines', async (t) => {
  const smg = new Run(t, [...DEMO, ...QUICK, '--', '--no-such-flag']);
  assert.equal(await smg.ended, 1);
  assert.match(
    smg.err.join('\n'),
    /^smg: engine sim \d ended with exit code \d+ before it was ready; its last lines:\n /m,
  );
  assert.match(smg.err.join('\n'), /no-such-flag/);
  assert.deepEqual(smg.engines().filter(isAlive), []);
});

test('serve ends with exit code 1 when all its engines are gone', async (t) => {
  const smg = new Run(t, [...DEMO, ...QUICK]);
  await smg.url();
  for (const { pid } of smg.engines()) process.kill(pid, 'SIGKILL');
  assert.equal(await smg.ended, 1);
  assert.ok(smg.err.includes('smg: all engines have ended'));
});

test('sim runs the simulator with the words behind it, and hands it signals', async (t) => {
  const help = new Run(t, ['sim', '--help']);
  assert.equal(await help.ended, 0);
  assert.match(help.out.join('\n'), /--engines/);

  const sim = new Run(t, ['sim', '--engines', '1', '--port', '0']);
  const url = await sim.line(/^engine ready: (\S+)/);
  assert.equal((await fetch(`${url}/health`)).status, 200);
  const { ended } = await watch({ url });
  sim.child.kill('SIGTERM');
  await sim.ended;
  await ended;

  const bad = new Run(t, ['sim', '--no-such-flag']);
  assert.notEqual(await bad.ended, 0);
});
