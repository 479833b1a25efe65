/**
 * The few HTTP things the harness itself needs, none of them on a measured path.
 * Shapes  ask(port, path) → status, or 0 when nobody answers · freePort() → port
 */
import { get } from 'node:http';
import { createServer } from 'node:net';

export function ask(port: number, path: string): Promise<number> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false, timeout: 2_000 }, (response) => {
      response.resume();
      response.on('close', () => resolve(response.statusCode ?? 0));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(0));
  });
}

/** Free at the moment of asking; a program that takes a port number cannot be given more. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
