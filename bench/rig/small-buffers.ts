/**
 * Runs this bench again in a network namespace of its own whose TCP buffers are small and do not grow.
 * Shapes  rerunWithSmallBuffers() → exit code, or undefined when this machine has no namespaces for us ·
 *         areBuffersSmall() → is this that second run?
 * Why     Node cannot set the buffers of a TCP socket, and between two processes of one machine the kernel alone takes
 *         more than a megabyte, because loopback's packets are of 64 KB: no proxy would ever be seen to hold back
 * Owner   the second run is a child of this one and ends with it; nothing outside of the namespace is changed
 */
import { spawn, spawnSync } from 'node:child_process';

const MARK = 'SMG_BENCH_SMALL_BUFFERS';
/** Packets as between machines; buffers as a connection begins with them, and for sending four times that. */
const SETUP = [
  'ip link set lo mtu 1500 up',
  'echo 4096 65536 65536 > /proc/sys/net/ipv4/tcp_wmem',
  'echo 4096 131072 131072 > /proc/sys/net/ipv4/tcp_rmem',
].join(' && ');

export function areBuffersSmall(): boolean {
  return process.env[MARK] === '1';
}

export async function rerunWithSmallBuffers(): Promise<number | undefined> {
  if (areBuffersSmall()) return undefined;
  const [file, ...args] = inNamespace(['true']);
  if (spawnSync(file, args, { stdio: 'ignore' }).status !== 0) return undefined;
  const [again, ...rest] = inNamespace([process.execPath, ...process.execArgv, ...process.argv.slice(1)]);
  const child = spawn(again, rest, { stdio: 'inherit', env: { ...process.env, [MARK]: '1' } });
  // Ctrl-C reaches both by itself; the child ends its own processes, then this one ends with its code.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function inNamespace(command: readonly string[]): [string, ...string[]] {
  // Without being root one may own a namespace as the root of a user namespace, where the kernel allows that.
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  return ['unshare', '--net', ...asRoot, 'sh', '-c', `${SETUP} && exec "$@"`, 'sh', ...command];
}
