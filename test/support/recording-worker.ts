/** A worker that notes every request as it arrives, GETs and probes too, and lets an engine answer it. */
import { createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { SimEngine } from '../../sim/engine.ts';

export interface NotedRequest {
  readonly method: string;
  readonly url: string;
  /** Names as they came, values beside them. */
  readonly headers: readonly string[];
  readonly body: string;
}

export interface RecordingWorker {
  readonly url: string;
  /** Requests that have arrived whole, oldest first. */
  readonly noted: NotedRequest[];
}

export async function recordingWorkerFor(t: TestContext, engine: SimEngine): Promise<RecordingWorker> {
  const noted: NotedRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const { method = '', url = '', rawHeaders } = request;
      noted.push({ method, url, headers: rawHeaders, body: body.toString() });
      const onward = ask(engine.url + url, { method, headers: rawHeaders }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      onward.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, noted };
}
