/** Binds a server to its address; what the machine refuses becomes an error that names the port and the flag. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ListenAddress {
  /** Whose port it is, for the message. */
  readonly name: string;
  readonly flag: string;
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
}

/** The machine refuses the address: a busy port, a foreign address, a missing right. */
export class ListenError extends Error {
  readonly code: 'port_in_use' | 'cannot_listen';

  constructor(code: 'port_in_use' | 'cannot_listen', message: string) {
    super(message);
    this.code = code;
  }
}

/** Resolves with the base URL, e.g. `http://127.0.0.1:30000`. */
export function listen(server: Server, address: ListenAddress): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, address)));
    server.listen({ host: address.host, port: address.port, backlog: 4_096 }, () => {
      const { port } = server.address() as AddressInfo;
      resolve(`http://${shownHost(address.host)}:${port}`);
    });
  });
}

function explain(error: NodeJS.ErrnoException, { name, flag, host, port }: ListenAddress): Error {
  if (error.code === 'EADDRINUSE') {
    return new ListenError('port_in_use', `Port ${port} for ${name} is already in use; choose another with ${flag}.`);
  }
  if (error.code === 'EACCES') {
    return new ListenError(
      'cannot_listen',
      `Port ${port} for ${name} may not be used by this user; choose another with ${flag}.`,
    );
  }
  return new ListenError(
    'cannot_listen',
    `Cannot listen on ${host}:${port} for ${name}: ${error.code ?? error.message}.`,
  );
}

/** A wildcard address is no address to connect to. */
function shownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
