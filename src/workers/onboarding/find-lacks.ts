/**
 * Which APIs an engine does not have, so that calls for them are translated to one that it has. Nothing is generated to
 * find that out: a server that answers a GET of its completions with 405 answers 404 for paths that it does not have.
 * On doubt nothing is lacking. Asked when a worker joins, not at every look.
 */
import type { ProtocolName } from '../../domain/call.ts';
import type { Engine } from '../../domain/worker.ts';
import type { EngineProfile } from './engines/engine-profile.ts';
import type { Round } from './step.ts';

/** Every engine has it. */
const COMPLETIONS_PATH = '/v1/completions';

const PATHS: readonly (readonly [ProtocolName, string])[] = [
  ['openai-responses', '/v1/responses'],
  ['anthropic-messages', '/v1/messages'],
  ['anthropic-count-tokens', '/v1/messages/count_tokens'],
];

/** Engines whose server gives 404 to any GET, and what they are known not to have. */
const BY_TABLE: Partial<Readonly<Record<Engine, readonly ProtocolName[]>>> = {
  mlx: PATHS.map(([protocol]) => protocol),
};

export async function findLacks(
  { worker, questions }: Round,
  { engine }: EngineProfile,
): Promise<readonly ProtocolName[]> {
  const known = worker.facts;
  if (worker.state === 'ready' && known?.engine === engine) return known.lacks;
  const [completions, ...others] = await Promise.all(
    [COMPLETIONS_PATH, ...PATHS.map(([, path]) => path)].map((path) => questions.tryAsk(path)),
  );
  if (completions?.status !== 405) return BY_TABLE[engine] ?? [];
  return PATHS.flatMap(([protocol], at) => (others[at]?.status === 404 ? [protocol] : []));
}
