/** Every route × every kind of caller × every mix of keys, generated from the route tables; and ways around them. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { Gateway } from '../../src/app/build.ts';
import type { RouteAccess } from '../../src/domain/ports.ts';
import { controlRoutes, inferenceRoutes, modelRoutes } from '../../src/server/route-table.ts';
import { bearer, FORMS, type Headers, type KeyKind, KEYS, keyFlags } from '../support/keys.ts';
import { gatewayFor, post, rigFor } from '../support/rig.ts';

interface Row {
  readonly keys: readonly KeyKind[];
  /** For nobody, a wrong key, and the api, tenant, user and admin keys: + let in, ? 401, - 403. */
  readonly data: string;
  readonly control: string;
}

/** What each caller may do: the whole contract of this file. A key that is not configured is a wrong one. */
const rows: Readonly<Record<string, Row>> = {
  'no keys': { keys: [], data: '++++++', control: '++++++' },
  'the api key only': { keys: ['api'], data: '??+???', control: '??+???' },
  'tenant keys only': { keys: ['tenant'], data: '???+??', control: '???-??' },
  'control keys only': { keys: ['control'], data: '++++++', control: '????-+' },
  'api and tenant keys': { keys: ['api', 'tenant'], data: '??++??', control: '??+-??' },
  'all kinds of keys': { keys: ['api', 'tenant', 'control'], data: '??++++', control: '??---+' },
};

const callers = [undefined, 'gw-wrong-000000', KEYS.api, KEYS.tenant, KEYS.user, KEYS.admin];

interface Route {
  readonly method: string;
  readonly path: string;
  readonly access: RouteAccess;
  readonly dialect: 'openai' | 'anthropic' | 'gemini';
}

/** By the name of a protocol, or by a path. */
function dialectOf(name: string): Route['dialect'] {
  if (name.startsWith('anthropic')) return 'anthropic';
  return name.startsWith('gemini') || name.startsWith('/v1beta') ? 'gemini' : 'openai';
}

const routes: readonly Route[] = [
  ...[...inferenceRoutes, ...modelRoutes].map(({ path, protocol }) => {
    return { method: 'POST', path, access: 'data' as const, dialect: dialectOf(protocol) };
  }),
  ...controlRoutes.map(({ method, path, access }) => ({ method, path, access, dialect: dialectOf(path) })),
  ...controlRoutes
    .filter(({ method }) => method === 'GET')
    .map(({ path, access }) => ({ method: 'HEAD', path, access, dialect: dialectOf(path) })),
];

const STATUS: Readonly<Record<string, number>> = { '?': 401, '-': 403 };

function send(base: string, { method, path }: Route, headers: Headers): Promise<Response> {
  const url = base + path.replace('{id}', 'no-such-id').replace('{model}', 'm');
  if (method === 'GET' || method === 'HEAD' || method === 'DELETE') return fetch(url, { method, headers });
  return fetch(url, { method, headers: { ...headers, 'content-type': 'application/json' }, body: '{}' });
}

/** Without its request id, which differs from call to call. */
async function checkRefusal(route: Route, reply: Response): Promise<string> {
  const code = reply.headers.get('x-smg-error-code') ?? '';
  assert.match(code, reply.status === 401 ? /^(authentication_required|invalid_key)$/ : /^admin_required$/);
  assert.equal(reply.headers.get('www-authenticate'), reply.status === 401 ? 'Bearer realm="gateway"' : null);
  assert.equal(reply.headers.get('x-smg-worker'), null);
  const text = await reply.text();
  if (route.method === 'HEAD') return text;
  const body = JSON.parse(text) as { type?: string; request_id?: string; error: Record<string, unknown> };
  const { error } = body;
  if (route.dialect === 'gemini') {
    const name = reply.status === 401 ? 'UNAUTHENTICATED' : 'PERMISSION_DENIED';
    assert.deepEqual([error['code'], error['status']], [reply.status, name]);
    return JSON.stringify(error);
  }
  assert.equal(error['type'], reply.status === 401 ? 'authentication_error' : 'permission_error');
  if (route.dialect === 'openai') assert.equal(error['code'], code);
  else assert.deepEqual([body.type, body.request_id], ['error', reply.headers.get('x-request-id')]);
  return JSON.stringify(body.error);
}

async function checkRoute(gateway: Gateway, route: Route, signs: string): Promise<void> {
  const refusals: Record<string, Set<string>> = { '401': new Set(), '403': new Set() };
  for (const [index, key] of callers.entries()) {
    const sign = signs[index] ?? '';
    const forms = key === undefined ? [{}] : Object.values(FORMS).map((form) => form(key));
    for (const headers of forms) {
      const reply = await send(gateway.url, route, headers);
      const where = `${route.method} ${route.path} ${JSON.stringify(headers)} -> ${reply.status}`;
      if (sign === '+') {
        assert.ok(reply.status !== 401 && reply.status !== 403, where);
        await reply.body?.cancel();
      } else {
        assert.equal(reply.status, STATUS[sign], where);
        const body = await checkRefusal(route, reply);
        if (key !== undefined) refusals[reply.status]?.add(body);
      }
    }
  }
  // Whatever is wrong with a key, and whoever's good one it is: one text.
  for (const texts of Object.values(refusals)) assert.ok(texts.size <= 1, [...texts].join('\n'));
}

for (const [name, row] of Object.entries(rows)) {
  test(`with ${name} each of the ${routes.length} routes lets in whom it should, by each of the three headers`, async (t) => {
    const gateway = await gatewayFor(t, [], keyFlags(...row.keys));
    const signs = { public: '++++++', data: row.data, control: row.control };
    await Promise.all(routes.map((route) => checkRoute(gateway, route, signs[route.access])));
  });
}

test('public routes are those of the original, without server info', () => {
  const open = routes.filter(({ access, method }) => access === 'public' && method !== 'HEAD');
  assert.deepEqual(
    open.map(({ method, path }) => `${method} ${path}`),
    [
      'GET /health',
      'GET /liveness',
      'GET /readiness',
      'GET /health_generate',
      'GET /v1/models',
      'GET /v1/models/{id}',
      'GET /v1beta/models',
      'GET /v1beta/models/{id}',
      'GET /get_model_info',
    ],
  );
});

for (const [name, row] of Object.entries(rows)) {
  test(`with ${name} metrics are for whom the control plane is, unless they are made public`, async (t) => {
    const closed = await gatewayFor(t, [], keyFlags(...row.keys));
    const open = await gatewayFor(t, [], { ...keyFlags(...row.keys), metricsPublic: true });
    for (const [index, key] of callers.entries()) {
      const headers = key === undefined ? {} : bearer(key);
      const reply = await fetch(closed.metricsUrl ?? '', { headers });
      assert.equal(reply.status, STATUS[row.control[index] ?? ''] ?? 200);
      const text = await reply.text();
      assert.equal(text.includes('smg_'), reply.status === 200);
      assert.equal(reply.headers.has('www-authenticate'), reply.status === 401);
      assert.equal((await fetch(open.metricsUrl ?? '', { headers })).status, 200);
    }
  });
}

/** One request exactly as written; resolves with all that comes back until the connection ends. */
function raw(gateway: Gateway, head: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
    socket.write([...head, 'Connection: close', '', ''].join('\r\n'));
  });
}

const targets = [
  '/workers',
  '/workers/',
  '//workers',
  '/./workers',
  '/WORKERS',
  '/Workers',
  '/%77orkers',
  '/workers%00',
  '/workers;a=b',
  '/workers?x=/health',
  '/workers#/health',
  '/health/../workers',
  '/health/%2e%2e/workers',
  '/v1/../workers',
  '/v1/%2e%2e/workers',
  '/v1/%252e%252e/workers',
  '/v1/..%2fworkers',
  '/v1/..\\workers',
  '/v1/models/../../workers',
  '/v1/models/%2e%2e/%2e%2e/workers',
  '/v1/models/..%2f..%2fworkers',
  '/v1/models/x?/../../../workers',
  'http://localhost/workers',
  'http://localhost@evil/workers',
  '//localhost/workers',
  '*',
];
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const overrides = [
  'X-HTTP-Method-Override: GET',
  'X-HTTP-Method: GET',
  'X-Method-Override: GET',
  'X-Original-URL: /workers',
  'X-Rewrite-URL: /workers',
  'X-Forwarded-Uri: /workers',
  'X-Forwarded-For: 127.0.0.1',
];

test('no way of writing a path or a method leads to the control plane without a key', async (t) => {
  const rig = await rigFor(t, 1, keyFlags('api', 'control'));
  const { workers } = (await (await fetch(`${rig.gateway.url}/workers`, { headers: bearer(KEYS.admin) })).json()) as {
    workers: { id: string }[];
  };
  const id = workers[0]?.id ?? '';
  assert.match(id, /^[0-9a-f]{8}$/);
  const all = targets.flatMap((target) => methods.map((method) => `${method} ${target} HTTP/1.1`));
  await Promise.all(
    all.map(async (line) => {
      const answer = await raw(rig.gateway, [line, 'Host: x', ...overrides]);
      const status = Number(answer.slice(9, 12));
      assert.ok([400, 401, 404, 405, 204].includes(status), `${line}: ${status}`);
      if (status === 204) assert.ok(line.startsWith('OPTIONS'));
      assert.ok(!answer.includes(id) && !answer.includes(rig.engines[0]?.url ?? ''), line);
    }),
  );
  // Nothing of it has changed anything.
  const after = await fetch(`${rig.gateway.url}/workers/${id}`, { headers: bearer(KEYS.admin) });
  assert.equal(((await after.json()) as { status: string }).status, 'ready');
});

test('an override of the method changes nothing on a public path either', async (t) => {
  const gateway = await gatewayFor(t, [], keyFlags('api'));
  const answer = await raw(gateway, ['GET /health HTTP/1.1', 'Host: x', ...overrides]);
  assert.match(answer, /^HTTP\/1.1 200 [^]*\r\n\r\nOK$/);
});

test('a header that is sent twice is no key, whichever of the two is good', async (t) => {
  const gateway = await gatewayFor(t, [], keyFlags('api'));
  const lines: readonly (readonly [string, string])[] = [
    [`Authorization: Bearer ${KEYS.api}`, 'Authorization: Bearer other'],
    ['Authorization: Bearer other', `authorization: Bearer ${KEYS.api}`],
    [`X-Api-Key: ${KEYS.api}`, `x-api-key: ${KEYS.api}`],
    [`x-goog-api-key: ${KEYS.api}`, 'X-Goog-Api-Key: other'],
  ];
  for (const pair of lines) {
    assert.match(await raw(gateway, ['GET /workers HTTP/1.1', 'Host: x', ...pair]), /^HTTP\/1.1 401 /);
    assert.match(
      await raw(gateway, ['GET /workers HTTP/1.1', 'Host: x', pair[0].replace('other', KEYS.api)]),
      /^HTTP\/1.1 200 /,
    );
  }
});

test('a caller without a key is refused before its body is read', async (t) => {
  const gateway = await gatewayFor(t, [], keyFlags('api'));
  const head = ['Host: x', 'Content-Type: application/json', 'Content-Length: 100000000'];
  // No byte of the body is ever sent: the answer cannot have waited for it.
  const answer = await raw(gateway, ['POST /v1/chat/completions HTTP/1.1', ...head]);
  assert.match(answer, /^HTTP\/1.1 401 /);
  assert.match(answer, /connection: close/i);
});

test('a refusal comes before anything else that is wrong with a call: nothing of it is looked at', async (t) => {
  const { gateway } = await rigFor(t, 1, keyFlags('api'));
  for (const body of ['no json', '{"model":"none"}', '{"model":"sim-model","messages":[]}']) {
    const reply = await post(gateway, '/v1/chat/completions', body, { headers: { 'content-type': 'text/html' } });
    assert.equal(reply.headers.get('x-smg-error-code'), 'authentication_required');
    assert.doesNotMatch(await reply.text(), /sim-model/);
  }
});

test('a browser page may ask whether it may send a key, and may change workers with it', async (t) => {
  const origin = 'https://app.example';
  const gateway = await gatewayFor(t, [], { ...keyFlags('api'), corsAllowedOrigins: [origin] });
  const wanted = 'authorization,x-api-key,x-goog-api-key,x-smg-provider-key';
  for (const path of ['/v1/chat/completions', '/workers', '/workers/0a1b2c3d']) {
    const reply = await fetch(gateway.url + path, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': wanted },
    });
    assert.equal(reply.status, 204);
    assert.equal(reply.headers.get('access-control-allow-headers'), wanted);
    assert.match(reply.headers.get('access-control-allow-methods') ?? '', /\bPUT\b/);
  }
  const refused = await fetch(`${gateway.url}/workers`, { headers: { origin } });
  assert.deepEqual([refused.status, refused.headers.get('access-control-allow-origin')], [401, origin]);
});
