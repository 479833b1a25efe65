/**
 * A server that poses as an engine with chat completions and nothing else, before a simulated cloud that says what it is
 * told to: thoughts, parallel calls, pictures. So clients of every API can be shown to reach such an engine in chat.
 */
import { createServer, request as ask } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SimProvider } from '../../sim/providers/provider.ts';

export interface ChatOnlyEngine {
  readonly url: string;
  close(): void;
}

/** Its own paths of GET, and their status. Only the first page is what it has: completions say that others are missing. */
const PATHS: Readonly<Record<string, number>> = { '/health': 200, '/v1/models': 200, '/v1/completions': 405 };

export async function chatOnlyEngineBefore(cloud: SimProvider): Promise<ChatOnlyEngine> {
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (request.method === 'POST' && path === '/v1/chat/completions') return passOn(cloud, request, response);
    response.writeHead(PATHS[path] ?? 404, { 'content-type': 'application/json' });
    const data = cloud.models.map((id) => ({ id, object: 'model', owned_by: 'vllm' }));
    return void response.end(JSON.stringify({ object: 'list', data }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What breaks behind it breaks before it too. */
function passOn(cloud: SimProvider, request: IncomingMessage, response: ServerResponse): void {
  const onward = ask(cloud.url + (request.url ?? ''), { method: 'POST', headers: request.headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    answer.on('error', () => response.destroy());
  });
  onward.on('error', () => response.destroy());
  response.on('close', () => onward.destroy());
  request.pipe(onward);
}
