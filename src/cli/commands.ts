/** The commands of `smg`: one entry each. The first one runs when no command is named. */
import { commonOptions, serveOptions } from '../config/command-options.ts';
import { gatewayOptions } from '../config/schema.ts';
import type { Command, PassThroughCommand } from './command.ts';
import { launch } from './launch.ts';
import { serve } from './serve.ts';
import { startSim } from './sim.ts';
import { simulateCommand } from './simulate.ts';

export const commands: readonly [Command, ...Command[]] = [
  {
    name: 'launch',
    aliases: ['start'],
    summary: 'Start the gateway (the default command).',
    usage: '[flags]',
    examples: [
      'smg --worker-urls http://worker1:8000 http://worker2:8000 http://worker3:8000 \\\n' +
        '  --policy round_robin --host 0.0.0.0 --port 30000',
      'smg --backend anthropic',
      'smg launch --config smg.yaml --log-level debug',
    ],
    options: { ...gatewayOptions, ...commonOptions },
    run: launch,
  },
  {
    name: 'serve',
    aliases: [],
    summary: 'Start engines and the gateway in front of them.',
    usage: '[flags] [-- <engine arguments>]',
    examples: [
      'smg serve --backend sim --data-parallel-size 2',
      'smg serve --backend vllm --model meta-llama/Llama-3.1-8B-Instruct --dp-size 2 -- --max-model-len 8192',
    ],
    // What is the engine to start here is the provider of the workers there.
    options: { ...serveOptions, ...gatewayOptions, ...commonOptions, backend: serveOptions.backend },
    run: serve,
  },
];

export const passThroughCommands: readonly PassThroughCommand[] = [
  {
    name: 'sim',
    aliases: [],
    summary: 'Start simulated engines alone; smg sim --help shows its flags.',
    usage: '[flags]',
    examples: ['smg sim --engines 2 --port 8000'],
    run: startSim,
  },
  simulateCommand,
];
