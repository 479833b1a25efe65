/** Engine command lines, the division of GPUs, and what is shown to copy. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadServeOptions } from '../config/load.ts';
import { commandLineOf, deviceProblems, firstCall, modeProblems, planEngines, splitDevices } from './engine-plan.ts';

function optionsOf(flags: Record<string, unknown>) {
  const loaded = loadServeOptions({ flags });
  assert.ok(loaded.ok);
  return loaded.config;
}

const nothing = { extra: [], visibleDevices: undefined, simMain: 'sim/main.ts' };

test('SGLang is started as its guide says', () => {
  const [plan] = planEngines(optionsOf({ backend: 'sglang', model: 'org/model' }), [31_000], nothing);
  assert.ok(plan);
  assert.equal(
    commandLineOf(plan),
    'python3 -m sglang.launch_server --model-path org/model --host 127.0.0.1 --port 31000',
  );
  assert.equal(plan.url, 'http://127.0.0.1:31000');
});

test('vLLM is started as its guide says, with its GPUs and the further arguments last', () => {
  const options = optionsOf({ backend: 'vllm', model: 'org/model', tensorParallelSize: 2 });
  const plans = planEngines(options, [31_000, 31_002], { ...nothing, extra: ['--max-model-len', '8192'] });
  const rest = '--tensor-parallel-size 2 --max-model-len 8192';
  assert.deepEqual(plans.map(commandLineOf), [
    `CUDA_VISIBLE_DEVICES=0,1 vllm serve org/model --host 127.0.0.1 --port 31000 ${rest}`,
    `CUDA_VISIBLE_DEVICES=2,3 vllm serve org/model --host 127.0.0.1 --port 31002 ${rest}`,
  ]);
});

test('a simulated engine runs under this Node, needs no model and takes no GPUs', () => {
  const plans = planEngines(optionsOf({ backend: 'sim' }), [1, 2], { ...nothing, visibleDevices: '0' });
  assert.deepEqual(
    plans.map(({ command, env }) => ({ command, env })),
    [
      { command: process.execPath, env: {} },
      { command: process.execPath, env: {} },
    ],
  );
  assert.deepEqual(plans[1]?.args.slice(0, 1), ['sim/main.ts']);
  assert.ok(plans[1]?.args.join(' ').endsWith('--port 2 --model sim-model'));
});

test('over gRPC every engine is started with its own flag and has a grpc URL', () => {
  const lines = (['sglang', 'vllm', 'trtllm', 'mlx', 'tokenspeed'] as const).map((backend) => {
    const [plan] = planEngines(optionsOf({ backend, model: 'org/model', connectionMode: 'grpc' }), [31_000], nothing);
    assert.equal(plan?.url, 'grpc://127.0.0.1:31000');
    return plan === undefined ? '' : commandLineOf(plan);
  });
  const where = '--host 127.0.0.1 --port 31000';
  assert.deepEqual(lines, [
    `python3 -m sglang.launch_server --model-path org/model ${where} --grpc-mode`,
    `vllm serve org/model ${where} --grpc`,
    `trtllm-serve org/model ${where} --grpc`,
    `python3 -m smg_grpc_servicer.mlx --model org/model ${where}`,
    `python3 -m smg_grpc_servicer.tokenspeed --model org/model ${where}`,
  ]);
});

test('a simulated engine is told to talk gRPC, before the further arguments', () => {
  const options = optionsOf({ backend: 'sim', connectionMode: 'grpc' });
  const [plan] = planEngines(options, [1], { ...nothing, extra: ['--kind', 'vllm'] });
  assert.ok(plan);
  assert.ok(plan.args.join(' ').endsWith('--model sim-model --connection-mode grpc --kind vllm'));
  assert.equal(plan.url, 'grpc://127.0.0.1:1');
});

test('engines without an HTTP server are refused over HTTP', () => {
  assert.deepEqual(modeProblems(optionsOf({ backend: 'mlx', model: 'm' })), [
    'flag --connection-mode: mlx is served over grpc only',
  ]);
  assert.deepEqual(modeProblems(optionsOf({ backend: 'mlx', model: 'm', connectionMode: 'grpc' })), []);
  assert.deepEqual(modeProblems(optionsOf({ backend: 'trtllm', model: 'm' })), []);
  const split = optionsOf({ backend: 'tokenspeed', model: 'm', connectionMode: 'grpc', tensorParallelSize: 2 });
  assert.match(modeProblems(split)[0] ?? '', /--tensor-parallel-size: not known for tokenspeed/);
});

test('one engine alone sees all GPUs that we see', () => {
  const options = optionsOf({ backend: 'vllm', model: 'm', tensorParallelSize: 2 });
  assert.deepEqual(planEngines(options, [1], { ...nothing, visibleDevices: '4,5' })[0]?.env, {});
});

test('engines divide the visible GPUs by rank', () => {
  assert.deepEqual(splitDevices(undefined, 3, 1), ['0', '1', '2']);
  assert.deepEqual(splitDevices('4, 5,6,7', 2, 2), ['4,5', '6,7']);
  assert.deepEqual(splitDevices('GPU-a,GPU-b', 2, 1), ['GPU-a', 'GPU-b']);
  assert.equal(splitDevices('0,1,2', 2, 2), undefined);
  assert.equal(splitDevices('', 1, 1), undefined);
});

test('too few GPUs are a problem that names the variable, but not for simulated engines', () => {
  const flags = { model: 'm', dataParallelSize: 2, tensorParallelSize: 2 };
  assert.match(deviceProblems(optionsOf({ ...flags, backend: 'vllm' }), '0,1').join(''), /CUDA_VISIBLE_DEVICES: "0,1"/);
  assert.deepEqual(deviceProblems(optionsOf({ ...flags, backend: 'vllm' }), '0,1,2,3'), []);
  assert.deepEqual(deviceProblems(optionsOf({ ...flags, backend: 'sim' }), ''), []);
});

test('an engine that listens everywhere or on IPv6 has a URL that can be called', () => {
  const urlOn = (workerHost: string) => planEngines(optionsOf({ backend: 'sim', workerHost }), [9], nothing)[0]?.url;
  assert.equal(urlOn('0.0.0.0'), 'http://localhost:9');
  assert.equal(urlOn('::'), 'http://localhost:9');
  assert.equal(urlOn('::1'), 'http://[::1]:9');
});

test('words that a shell would take apart are quoted', () => {
  const [plan] = planEngines(optionsOf({ backend: 'vllm', model: "it's a model" }), [1], nothing);
  assert.ok(plan && commandLineOf(plan).startsWith(`vllm serve 'it'\\''s a model' --host`));
});

test('the first call to copy goes to an address that can be called, with the model that is served', () => {
  const call = firstCall('http://0.0.0.0:30001', 'org/model');
  assert.ok(call.startsWith('curl http://localhost:30001/v1/chat/completions'));
  assert.ok(call.includes('"model":"org/model"'));
  assert.ok(firstCall('http://[::1]:5', 'm').startsWith('curl http://[::1]:5/'));
});
