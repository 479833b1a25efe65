/** What loadConfig promises: precedence, all problems at once, no secret in any of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseConfigFile } from './file.ts';
import { policies } from '../routing/policies/index.ts';
import { serveOptions } from './command-options.ts';
import { type Loaded, loadConfig, loadServeOptions, startProblems } from './load.ts';
import { fileKeyOf, flagOf, variableOf } from './names.ts';
import { policyOptions } from './policy-options.ts';
import { gatewayOptions, options } from './schema.ts';

function configOf<T>(loaded: Loaded<T>): T {
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.problems.join('\n'));
  return loaded.config;
}

function problemsOf(loaded: Loaded<unknown>): readonly string[] {
  assert.ok(!loaded.ok, 'expected problems');
  return loaded.problems;
}

const file = (text: string) => parseConfigFile('smg.yaml', text);

test('without any source every option has its default and nothing is wrong', () => {
  const config = configOf(loadConfig({}));
  assert.deepEqual(Object.keys(config), [...Object.keys(options), 'policyOptions', 'providerKeys']);
  assert.equal(config.port, 30_000);
  assert.equal(config.policy, 'cache_aware');
  assert.deepEqual(config.workerUrls, []);
  assert.equal(config.workerApiKey, undefined);
});

test('every default is accepted by its own option', () => {
  for (const [key, option] of Object.entries(gatewayOptions)) {
    if (option.default === undefined) continue;
    assert.deepEqual(option.read(option.default), { ok: true, value: option.default }, key);
  }
});

test('a flag wins over the environment, the environment over the file, the file over the default', () => {
  const flags = { port: '1001' };
  const env = { SMG_PORT: '1002', SMG_LOG_LEVEL: 'warn' };
  const read = configOf(loadConfig({ flags, env, file: file('port: 1003\nlog_level: error\npolicy: random') }));
  assert.equal(read.port, 1001);
  assert.equal(read.logLevel, 'warn');
  assert.equal(read.policy, 'random');
  assert.equal(read.host, '0.0.0.0');
});

test('flag, variable and file key of an option are spelled after its key in the table', () => {
  assert.equal(flagOf('retryInitialBackoffMs'), '--retry-initial-backoff-ms');
  assert.equal(variableOf('retryInitialBackoffMs'), 'SMG_RETRY_INITIAL_BACKOFF_MS');
  assert.equal(fileKeyOf('retryInitialBackoffMs'), 'retry_initial_backoff_ms');
});

test('an empty variable and a key without a value count as unset', () => {
  const read = configOf(loadConfig({ env: { SMG_LOG_DIR: '', SMG_PORT: '' }, file: file('worker_urls:\nhost:\n') }));
  assert.equal(read.logDir, undefined);
  assert.equal(read.port, 30_000);
  assert.deepEqual(read.workerUrls, []);
});

test('lists come from repeated flag values, from separated variables and from file lists or scalars', () => {
  const flags = { workerUrls: ['http://a:1', 'http://b:2'] };
  const env = { SMG_REQUEST_ID_HEADERS: 'X-One, x-two\n x-three' };
  const read = configOf(loadConfig({ flags, env, file: file('cors_allowed_origins: "*"') }));
  assert.deepEqual(read.workerUrls, ['http://a:1', 'http://b:2']);
  assert.deepEqual(read.requestIdHeaders, ['x-one', 'x-two', 'x-three']);
  assert.deepEqual(read.corsAllowedOrigins, ['*']);
});

test('the configuration and the lists in it are frozen', () => {
  const flags = { workerUrls: ['http://a'], modelAlias: ['a=b'] };
  const read = configOf(loadConfig({ flags }));
  for (const value of [read, read.workerUrls, read.modelAlias, read.modelAlias[0], read.requestIdHeaders]) {
    assert.ok(Object.isFrozen(value));
  }
});

test('booleans are read in every common spelling', () => {
  const env = { SMG_LOG_JSON: 'yes', SMG_DISABLE_RETRIES: '0', SMG_DISABLE_METRICS: 'TRUE' };
  const read = configOf(loadConfig({ env, file: file('disable_health_check: true') }));
  assert.deepEqual(
    [read.logJson, read.disableRetries, read.disableMetrics, read.disableHealthCheck],
    [true, false, true, true],
  );
});

const badValues: readonly (readonly [string, unknown, RegExp])[] = [
  ['port', 'abc', /"abc" is not a whole number from 0 to 65535/],
  ['port', '65536', /"65536" is not a whole number from 0 to 65535/],
  ['port', '1.5', /is not a whole number/],
  ['port', '', /"" is not a whole number/],
  ['maxPayloadSize', '0', /is not a whole number of bytes, at least 1/],
  ['retryMaxRetries', '0', /from 1 to 100/],
  ['retryJitterFactor', '1.1', /is not a number from 0 to 1/],
  ['retryBackoffMultiplier', '0.9', /is not a number from 1 to/],
  ['cbFailureThreshold', '0', /at least 1/],
  ['healthCheckIntervalSecs', '0', /is not a number of seconds from 0.01/],
  ['streamIdleTimeoutSecs', '-1', /is not a number of seconds from 0 to 2000000 \(0 turns it off\)/],
  ['streamIdleTimeoutSecs', 'Infinity', /is not a number of seconds/],
  ['host', 'not a host', /is not an IP address or a host name/],
  ['host', '999.1.1.1', /is not an IP address or a host name/],
  ['healthCheckEndpoint', 'health', /is not a path such as \/health/],
  ['logLevel', 'warning', /is not one of debug, info, warn, error/],
  ['policy', 'roundrobin', /is not one of .*; did you mean round_robin\?/],
  ['requestIdHeaders', ['x-ok', 'not ok'], /"not ok" is not a header name/],
  ['corsAllowedOrigins', ['https://a.example/path'], /is not \* or an origin/],
  ['modelAlias', ['gpt-4'], /"gpt-4" is not alias=model/],
  ['modelAlias', ['a=b,b'], /is not alias=model.*each model once/],
  ['modelAlias', ['a=b,'], /is not alias=model/],
  ['modelAlias', ['a=b', 'a=c'], /alias "a" has two models: "b" and "c"/],
  ['prometheusDurationBuckets', ['0.1', '0.1'], /does not ascend: 0.1 comes after 0.1/],
  ['workerUrls', ['http://a:80/v1/', 'http://A'], /"http:\/\/a" is given more than once/],
  ['logJson', 'maybe', /"maybe" is not true or false/],
  ['maxIdleSecs', '0', /is not a number of seconds from 1 to/],
  ['assignmentMode', 'min-load', /is not one of random, min_load, min_group; did you mean min_load\?/],
  ['prefixHashLoadFactor', '0.9', /is not a number, at least 1/],
  ['prefixTokenCount', '1.5', /is not a whole number, at least 1/],
  ['modelPolicies', ['llama'], /"llama" is not model=policy/],
  ['modelPolicies', ['llama=fastest'], /"fastest" is not one of/],
  ['modelPolicies', ['llama=randm'], /did you mean random\?/],
  ['modelPolicies', ['a=random', 'a=manual'], /model "a" has two policies: "random" and "manual"/],
];

for (const [key, value, expected] of badValues) {
  test(`${flagOf(key)} refuses ${JSON.stringify(value)} in one line that names the flag and what it accepts`, () => {
    const problems = problemsOf(loadConfig({ flags: { [key]: value } }));
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', expected);
    assert.ok(problems[0]?.startsWith(`flag ${flagOf(key)}: `));
  });
}

test('a problem names the flag, the variable or the file and its key, whichever the value came from', () => {
  const env = { SMG_PROMETHEUS_PORT: 'x' };
  const problems = problemsOf(loadConfig({ flags: { port: 'x' }, env, file: file('log_level: 3') }));
  assert.match(problems[0] ?? '', /^flag --port: "x"/);
  assert.match(problems[1] ?? '', /^file smg\.yaml, key log_level: 3 is not one of/);
  assert.match(problems[2] ?? '', /^environment variable SMG_PROMETHEUS_PORT: "x"/);
});

test('every problem of every source is told at once', () => {
  const flags = { port: 'x', workerUrls: ['ftp://a', 'grpc://b'], retryInitialBackoffMs: '60000' };
  const env = { SMG_CB_FAILURE_THRESHOLD: 'many' };
  const problems = problemsOf(loadConfig({ flags, env, file: file('poort: 3\nhost: "a b"') }));
  assert.equal(problems.length, 7);
});

test('a value that a better source hides is not judged', () => {
  const read = configOf(loadConfig({ flags: { port: '4000' }, env: { SMG_PORT: 'nonsense' } }));
  assert.equal(read.port, 4000);
});

test('the first pause of a retry may not exceed the longest one, and both sources are named', () => {
  const problems = problemsOf(
    loadConfig({ flags: { retryInitialBackoffMs: '500' }, env: { SMG_RETRY_MAX_BACKOFF_MS: '100' } }),
  );
  assert.deepEqual(problems, [
    'flag --retry-initial-backoff-ms: 500 is more than the longest pause, 100 (environment variable SMG_RETRY_MAX_BACKOFF_MS)',
  ]);
});

test('clients and metrics may not share a port, unless it is any free one or metrics are off', () => {
  const same = { port: '4000', prometheusPort: '4000' };
  assert.match(
    problemsOf(loadConfig({ flags: same }))[0] ?? '',
    /--prometheus-port: 4000 is also the port for clients/,
  );
  configOf(loadConfig({ flags: { ...same, disableMetrics: true } }));
  configOf(loadConfig({ flags: { ...same, host: '10.0.0.1', prometheusHost: '127.0.0.1' } }));
  configOf(loadConfig({ flags: { port: '0', prometheusPort: '0' } }));
});

test('an unknown key of the file is a problem with a suggestion, also when it is spelled like a flag', () => {
  const problems = problemsOf(
    loadConfig({ file: file('prot: 3\nlog-dir: x\nzzzzzz: 1\nconfig: a.yaml\ndry_run: true') }),
  );
  assert.deepEqual(problems, [
    'file smg.yaml, key prot: no option has this name; did you mean port?',
    'file smg.yaml, key log-dir: no option has this name; did you mean log_dir?',
    'file smg.yaml, key zzzzzz: no option has this name',
    'file smg.yaml, key config: no option has this name',
    'file smg.yaml, key dry_run: no option has this name',
  ]);
});

test('an unknown SMG_ variable is a warning that shows its name only', () => {
  const loaded = loadConfig({ env: { SMG_PROT: 'sk-secret', PATH: '/bin', SMG_CONFIG: 'x', SMG_BACKEND: 'sim' } });
  configOf(loaded);
  assert.deepEqual(loaded.warnings, [
    'environment variable SMG_PROT: no option has this name, it is ignored; did you mean SMG_PORT?',
  ]);
});

test('variables that Kubernetes sets for a service called smg are neither used nor warned about', () => {
  const env = {
    SMG_PORT: 'tcp://10.0.0.1:30000',
    SMG_SERVICE_HOST: '10.0.0.1',
    SMG_SERVICE_PORT: '30000',
    SMG_PORT_30000_TCP_ADDR: '10.0.0.1',
  };
  const loaded = loadConfig({ env });
  assert.equal(configOf(loaded).port, 30_000);
  assert.deepEqual(loaded.warnings, []);
});

test('model aliases in the file are a mapping or a list, and the same pair twice counts once', () => {
  const expected = [{ alias: 'gpt-4', models: ['llama=x'] }];
  assert.deepEqual(configOf(loadConfig({ file: file('model_alias: {gpt-4: llama=x}') })).modelAlias, expected);
  const twice = file('model_alias: [gpt-4=llama=x, gpt-4=llama=x]');
  assert.deepEqual(configOf(loadConfig({ file: twice })).modelAlias, expected);
  assert.equal(
    problemsOf(loadConfig({ file: file('model_alias: {a: {b: c}, d: [[e]], f: [g, g], h: []}') })).length,
    4,
  );
});

test('an alias may name several models in order, in every source', () => {
  const expected = [
    { alias: 'fast', models: ['gpt-4o-mini', 'claude-haiku-4-5', 'llama'] },
    { alias: 'big', models: ['o3'] },
  ];
  const sources = [
    { flags: { modelAlias: ['fast=gpt-4o-mini,claude-haiku-4-5,llama', 'big=o3'] } },
    { env: { SMG_MODEL_ALIAS: 'fast=gpt-4o-mini,claude-haiku-4-5,llama,big=o3' } },
    { env: { SMG_MODEL_ALIAS: 'fast=gpt-4o-mini,claude-haiku-4-5,llama  big=o3' } },
    { file: file('model_alias: {fast: [gpt-4o-mini, claude-haiku-4-5, llama], big: o3}') },
    { file: file('model_alias: ["fast=gpt-4o-mini,claude-haiku-4-5,llama", {big: o3}]') },
  ];
  for (const source of sources) assert.deepEqual(configOf(loadConfig(source)).modelAlias, expected);
  // A number is a name, and a name in a list may have a comma.
  const odd = configOf(loadConfig({ file: file('model_alias: {a: [1, "b,c"]}') }));
  assert.deepEqual(odd.modelAlias, [{ alias: 'a', models: ['1', 'b,c'] }]);
});

test('a host is mapped to a URL, and to one only', () => {
  const expected = [
    { host: 'api.openai.com', url: 'http://127.0.0.1:9000' },
    { host: 'api.x.ai:8443', url: 'https://relay/xai' },
  ];
  const words = ['API.openai.com=http://127.0.0.1:9000/', 'api.x.ai:8443=https://relay/xai'];
  assert.deepEqual(configOf(loadConfig({ flags: { mapHost: words } })).mapHost, expected);
  const mapping = 'map_host: {api.openai.com: "http://127.0.0.1:9000", "api.x.ai:8443": "https://relay/xai/"}';
  assert.deepEqual(configOf(loadConfig({ file: file(mapping) })).mapHost, expected);
  const bad = ['a', 'a=b', 'a=ftp://b', 'https://a=http://b', 'a=http://u:p@b', 'a=http://b?c', 'a b=http://c'];
  assert.equal(problemsOf(loadConfig({ flags: { mapHost: bad } })).length, bad.length);
  assert.match(problemsOf(loadConfig({ flags: { mapHost: ['a=http://b', 'a=http://c'] } }))[0] ?? '', /two places/);
});

test('a provider as backend needs no worker URL, an engine does', () => {
  const withBackend = (backend: string) => startProblems(configOf(loadConfig({ flags: { backend } })));
  assert.deepEqual(withBackend('anthropic'), []);
  assert.equal(withBackend('sglang').length, 1);
  assert.match(problemsOf(loadConfig({ flags: { backend: 'antropic' } }))[0] ?? '', /did you mean anthropic/);
});

test("a policy's options are options like all others, and reach the configuration by name", () => {
  const env = { SMG_ASSIGNMENT_MODE: 'min_group' };
  const read = configOf(loadConfig({ flags: { maxIdleSecs: '90' }, env, file: file('prefix_token_count: 64') }));
  assert.deepEqual(
    ['maxIdleSecs', 'assignmentMode', 'prefixTokenCount', 'prefixHashLoadFactor'].map((key) => read.policyOptions[key]),
    [90, 'min_group', 64, 1.25],
  );
  assert.ok(Object.isFrozen(read.policyOptions));
});

test('no option of a policy has the name of another option, and each row says whose it is', () => {
  for (const { options: own, name } of policies) {
    for (const [key, option] of Object.entries(own)) {
      assert.ok(!Object.hasOwn(options, key) && !Object.hasOwn(serveOptions, key), key);
      assert.match(policyOptions[key]?.doc ?? '', new RegExp(`Policy: .*\\b${name}\\b`));
      assert.equal(policyOptions[key]?.default, option.default);
    }
  }
});

test('policies of models are a mapping or a list in the file, and a model may contain an equals sign', () => {
  const expected = [
    { model: 'llama=x', policy: 'manual' },
    { model: 'qwen', policy: 'least_load' },
  ];
  const texts = [
    'model_policies: {llama=x: manual, qwen: least_load}',
    'model_policies: [llama=x=manual, qwen=least_load]',
  ];
  for (const text of texts) assert.deepEqual(configOf(loadConfig({ file: file(text) })).modelPolicies, expected);
});

test('keys of smg serve may stand in the file of a gateway', () => {
  configOf(loadConfig({ file: file('backend: sim\ndata_parallel_size: 2\nport: 4000') }));
});

test('smg serve needs a model, unless its engines are simulated', () => {
  assert.deepEqual(problemsOf(loadServeOptions({ env: { SMG_BACKEND: 'vllm' } })), [
    'flag --model: it is required for the engine vllm (environment variable SMG_BACKEND)',
  ]);
  assert.equal(configOf(loadServeOptions({ flags: { backend: 'sim' } })).model, undefined);
  assert.equal(
    configOf(loadServeOptions({ flags: { backend: 'sim', connectionMode: 'grpc' } })).connectionMode,
    'grpc',
  );
  assert.match(problemsOf(loadServeOptions({ flags: { connectionMode: 'zmq' } }))[0] ?? '', /http, grpc/);
});

test('no secret is ever shown, whatever is wrong with it', () => {
  const secrets = ['sk secret', 'sk-sécret', 'sk\nsecret'];
  for (const value of secrets) {
    const sources = [
      { flags: { workerApiKey: value } },
      { env: { SMG_WORKER_API_KEY: value } },
      { file: { path: 'smg.yaml', entries: { worker_api_key: value }, problems: [] } },
      { file: { path: 'smg.yaml', entries: { worker_api_key: [value] }, problems: [] } },
    ];
    for (const source of sources) {
      const text = problemsOf(loadConfig(source)).join('\n');
      assert.match(text, /the value \(not shown\)/);
      assert.doesNotMatch(text, /sk|cret/);
    }
  }
  const workerUrls = [
    'http://me:sk-pass/w@host:1',
    'http://sk-a?b@c',
    'https://sk-key@host',
    'http://host/a?key=sk-1',
    'host:1#sk-2',
  ];
  const url = problemsOf(loadConfig({ flags: { workerUrls } }));
  assert.doesNotMatch(url.join('\n'), /sk-/);
});

test('no value of any option makes loading throw, and each problem is one line', () => {
  const keys = Object.keys(gatewayOptions);
  const flags = fc.dictionary(fc.constantFrom(...keys), fc.oneof(fc.string(), fc.jsonValue(), fc.array(fc.webUrl())));
  fc.assert(
    fc.property(flags, (given) => {
      const loaded = loadConfig({ flags: given });
      const lines = loaded.ok ? [] : loaded.problems;
      assert.ok(lines.every((line) => !line.includes('\n')));
    }),
    { seed: 7, numRuns: 300 },
  );
});
