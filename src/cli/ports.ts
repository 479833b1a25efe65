/** Finds ports for the engines, and asks whether one is free. Owns none: a port that is free now may be taken later. */
import { createServer } from 'node:net';

function listen(host: string, port: number): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const actual = typeof address === 'object' && address !== null ? address.port : port;
      resolve({ port: actual, close: () => new Promise((closed) => server.close(() => closed())) });
    });
  });
}

/** False only when somebody listens there; an address that is not ours is for its user to complain about. */
export async function isPortFree(host: string, port: number): Promise<boolean> {
  try {
    const listener = await listen(host, port);
    await listener.close();
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE');
  }
}

async function anyPorts(host: string, count: number): Promise<number[]> {
  // All of them open at the same time, so that they differ.
  const listeners = await Promise.all(Array.from({ length: count }, () => listen(host, 0)));
  await Promise.all(listeners.map((listener) => listener.close()));
  return listeners.map((listener) => listener.port);
}

export interface PortWish {
  readonly host: string;
  /** The first port to try; 0 for any. */
  readonly base: number;
  readonly count: number;
  /** Ports that will be taken by others. */
  readonly reserved: readonly number[];
}

/** `count` ports from `base` on, leaving out those reserved or taken; fewer when there are no more. */
export async function choosePorts(wish: PortWish, isFree = isPortFree): Promise<number[]> {
  if (wish.base === 0) return await anyPorts(wish.host, wish.count);
  const chosen: number[] = [];
  for (let port = wish.base; port <= 65_535 && chosen.length < wish.count; port += 1) {
    if (!wish.reserved.includes(port) && (await isFree(wish.host, port))) chosen.push(port);
  }
  return chosen;
}
