/**
 * The command line of `npm run bench:routing`.
 * Errors  throws with one line a person can act on
 */
import { parseArgs } from 'node:util';
import type { Setting, UsageDetail } from '../../lab/replay/setting.ts';

export const HELP = `npm run bench:routing -- [flags]

  --trace FILE      a trace in Mooncake's form (../shared/data/traces/synthetic_trace.jsonl; skipped when absent)
  --policy LIST     names with commas; options as name:key=value;key=value (every policy there is)
  --only LIST       of unbounded, bounded, shared
  --seed N          1
  --usage NAME      what answers tell of tokens: cached, counts or none (cached)
  --report-secs N   how often the gateway hears of the engines' load; 0: never (10)
  --tokens          the loads with prompts as texts and as token ids, instead of the policies beside each other
  --write           keep the section in bench/RESULTS.md
  --help`;

export interface Options {
  readonly trace: string | undefined;
  readonly policies: readonly string[];
  readonly only: readonly string[];
  readonly setting: Partial<Setting>;
  readonly tokens: boolean;
  readonly write: boolean;
  readonly help: boolean;
}

const USAGES: readonly UsageDetail[] = ['cached', 'counts', 'none'];
const SCENARIOS = ['unbounded', 'bounded', 'shared'];

export function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      trace: { type: 'string' },
      policy: { type: 'string', default: '' },
      only: { type: 'string', default: '' },
      seed: { type: 'string', default: '1' },
      usage: { type: 'string', default: 'cached' },
      'report-secs': { type: 'string', default: '10' },
      tokens: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const usage = USAGES.find((each) => each === values.usage);
  if (usage === undefined) throw new Error(`--usage takes ${USAGES.join(', ')}, not ${values.usage}`);
  const only = wordsOf(values.only);
  const odd = only.find((word) => !SCENARIOS.includes(word));
  if (odd !== undefined) throw new Error(`--only takes ${SCENARIOS.join(', ')}, not ${odd}`);
  return {
    trace: values.trace,
    policies: wordsOf(values.policy),
    only,
    setting: {
      seed: numberOf('--seed', values.seed),
      usage,
      reportEveryMs: numberOf('--report-secs', values['report-secs']) * 1000,
    },
    tokens: values.tokens,
    write: values.write,
    help: values.help,
  };
}

function wordsOf(text: string): string[] {
  return text.split(',').filter((word) => word !== '');
}

function numberOf(flag: string, text: string): number {
  const value = Number(text);
  if (!(value >= 0)) throw new Error(`${flag} takes a number from 0, not ${text}`);
  return value;
}
