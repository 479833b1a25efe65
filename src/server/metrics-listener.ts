/** The listener of the metrics port: `GET /metrics` and nothing else. */
import type { RequestListener } from 'node:http';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function createMetricsListener(render: () => string): RequestListener {
  return (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0];
    if (path !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Metrics are at /metrics.\n');
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET' }).end();
    } else {
      response.writeHead(200, { 'content-type': CONTENT_TYPE }).end(render());
    }
  };
}
