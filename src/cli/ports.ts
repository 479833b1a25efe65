/** Finds ports for the engines, and asks whether one is free. Owns none: a port that is free now may be taken later. */
import { createServer } from 'node:net';

/** False only when somebody listens there; an address that is not ours is for its user to complain about. */
export function isPortFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(!('code' in error && error.code === 'EADDRINUSE')));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * Where "any port" is looked for: below the ports that systems hand out for connections and for port 0, so that nobody
 * is given one between our look and the engine's start.
 */
const ANY_FROM = 11_000;
const ANY_TO = 28_000;

export interface PortWish {
  readonly host: string;
  /** The first port to try; 0 for any. */
  readonly base: number;
  readonly count: number;
  /** Ports that will be taken by others. */
  readonly reserved: readonly number[];
}

/** `count` ports from `base` on, leaving out those reserved or taken; fewer when there are no more. */
export async function choosePorts(wish: PortWish, isFree = isPortFree, random = Math.random): Promise<number[]> {
  const base = wish.base === 0 ? ANY_FROM + Math.floor(random() * (ANY_TO - ANY_FROM)) : wish.base;
  const chosen: number[] = [];
  for (let port = base; port <= 65_535 && chosen.length < wish.count; port += 1) {
    if (!wish.reserved.includes(port) && (await isFree(wish.host, port))) chosen.push(port);
  }
  return chosen;
}
