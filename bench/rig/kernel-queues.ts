/**
 * Bytes that wait in the kernel's TCP buffers around a proxy, from Linux's /proc/net/tcp.
 * Shapes  kernelQueues(workerPort, proxyPort) → KernelQueues · readQueues(text, workerPort, proxyPort): the same, pure
 * Units   payload bytes, summed over all established connections: sent and not acknowledged, or arrived and not read
 * Errors  none; zeros where there is no such file
 */
import { readFileSync } from 'node:fs';

export interface KernelQueues {
  /** Between the worker and the proxy, on both ends. */
  readonly workerBytes: number;
  /** Connections to the worker on which arrived bytes wait because the proxy does not read. */
  readonly unreadByProxy: number;
  /** Between the proxy and its clients, on both ends. */
  readonly clientBytes: number;
}

const ESTABLISHED = '01';

export function kernelQueues(workerPort: number, proxyPort: number): KernelQueues {
  try {
    return readQueues(readFileSync('/proc/net/tcp', 'latin1'), workerPort, proxyPort);
  } catch {
    // Not Linux: the caller shows zeros.
    return { workerBytes: 0, unreadByProxy: 0, clientBytes: 0 };
  }
}

export function readQueues(text: string, workerPort: number, proxyPort: number): KernelQueues {
  let workerBytes = 0;
  let unreadByProxy = 0;
  let clientBytes = 0;
  for (const line of text.split('\n').slice(1)) {
    const [, local = '', remote = '', state, queues = ''] = line.trim().split(/\s+/);
    if (state !== ESTABLISHED) continue;
    const [sent = 0, arrived = 0] = queues.split(':').map((digits) => Number.parseInt(digits, 16));
    const [from, to] = [portOf(local), portOf(remote)];
    if (from === workerPort || to === workerPort) workerBytes += sent + arrived;
    if (from === proxyPort || to === proxyPort) clientBytes += sent + arrived;
    if (to === workerPort && arrived > 0) unreadByProxy++;
  }
  return { workerBytes, unreadByProxy, clientBytes };
}

/** '0100007F:1F90' → 8080 */
function portOf(address: string): number {
  return Number.parseInt(address.slice(address.indexOf(':') + 1), 16);
}
