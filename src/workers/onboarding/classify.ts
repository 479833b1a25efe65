/** Where the worker is: the URL as given, or for one without a scheme the first of HTTP and HTTPS that answers. */
import { GatewayError } from '../../domain/errors.ts';
import type { ProbeReply } from '../../domain/ports.ts';
import { providerOf } from '../../domain/providers/index.ts';
import type { Worker } from '../../domain/worker.ts';
import type { Questions } from './questions.ts';
import type { Step } from './step.ts';

const GRPC_LATER = 'gRPC workers are not available yet in this version';

export const classify: Step = {
  name: 'classify',
  run: async ({ worker, questions, healthPath }) => {
    const { url } = worker.spec;
    if (/^grpcs?:\/\//.test(url)) throw new GatewayError('upstream_unreachable', `${GRPC_LATER}; use its HTTP port`);
    const known = url.includes('://') ? url : await schemed(worker, questions, healthPath);
    questions.settleOn(known);
    return { url: known };
  },
};

/** A provider is asked over TLS at its own host, without a try in clear text. */
function schemed(
  { spec: { url }, address: { provider } }: Worker,
  questions: Questions,
  path: string,
): Promise<string> {
  const secure = `https://${url}`;
  if (!provider || providerOf({ url, provider: undefined, runtime: undefined }) === undefined)
    return findUrl(questions, url, path);
  return Promise.resolve(secure);
}

/** Asks without the key: it must not travel in clear text to a worker that speaks HTTPS. */
async function findUrl(questions: Questions, host: string, path: string): Promise<string> {
  const plain = await knock(questions, `http://${host}`, path);
  // A server that expects TLS refuses plain HTTP with 400, or cuts the connection.
  if (plain.reply && plain.reply.status !== 400) return `http://${host}`;
  const secure = await knock(questions, `https://${host}`, path);
  if (secure.reply) return `https://${host}`;
  if (plain.reply) return `http://${host}`;
  const spoke = plain.error?.code === 'upstream_broken' || plain.error?.code === 'upstream_invalid_answer';
  const why = spoke ? `it speaks neither HTTP nor HTTPS; ${GRPC_LATER}` : (plain.error?.message ?? 'no answer');
  throw new GatewayError('upstream_unreachable', `The URL names no scheme, and ${why}`);
}

interface Knock {
  readonly reply?: ProbeReply;
  readonly error?: GatewayError;
}

async function knock(questions: Questions, url: string, path: string): Promise<Knock> {
  try {
    return { reply: await questions.knock(url, path) };
  } catch (thrown) {
    return { error: GatewayError.from(thrown) };
  }
}
