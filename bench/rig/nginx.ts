/**
 * nginx as a peer: one worker, keep-alive to the engines, no response buffering, no access log.
 * Shapes  nginxPath() → path | undefined · writeNginxConfig(plan) → path of the file
 * Owner   everything it writes stays in the given folder
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface NginxPlan {
  readonly folder: string;
  readonly port: number;
  readonly enginePorts: readonly number[];
}

export function nginxPath(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, 'nginx')).find((path) => existsSync(path));
}

export function writeNginxConfig(plan: NginxPlan): string {
  const { folder } = plan;
  const temps = ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  for (const name of temps) mkdirSync(join(folder, name), { recursive: true });
  const path = join(folder, 'nginx.conf');
  // A worker started by root would otherwise become `nobody`, who may not enter the temporary folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  writeFileSync(
    path,
    `${user}
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  ${temps
    .slice(1)
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(' ')}
  upstream engines {
    ${plan.enginePorts.map((port) => `server 127.0.0.1:${port};`).join(' ')}
    keepalive 2048;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${plan.port} backlog=4096;
    keepalive_requests 1000000000;
    client_max_body_size 64m;
    client_body_buffer_size 512k;
    location / {
      proxy_pass http://engines;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 600s;
    }
  }
}
`,
  );
  return path;
}
