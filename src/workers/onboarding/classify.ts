/** Where the worker is: the URL as given, or for one without a scheme the first of HTTP, HTTPS and gRPC that answers. */
import { GatewayError } from '../../domain/errors.ts';
import type { ProbeReply } from '../../domain/ports.ts';
import { providerOf } from '../../domain/providers/index.ts';
import { isGrpcUrl } from '../../domain/worker-url.ts';
import type { WorkerFacts } from '../../domain/worker.ts';
import type { Questions } from './questions.ts';
import type { Round, Step } from './step.ts';

/** The URL, and how calls reach it. */
interface Place {
  readonly url: string;
  readonly connection: WorkerFacts['connection'];
}

export const classify: Step = {
  name: 'classify',
  run: async (round) => {
    const { url } = round.worker.spec;
    const place = url.includes('://') ? placeOf(url) : await schemed(round);
    round.questions.settleOn(place.url);
    return place;
  },
};

function placeOf(url: string): Place {
  return { url, connection: isGrpcUrl(url) ? 'grpc' : 'http' };
}

/** A provider is asked over TLS at its own host, without a try in clear text. */
async function schemed(round: Round): Promise<Place> {
  const { spec, address } = round.worker;
  const secure = `https://${spec.url}`;
  const isOwned = providerOf({ url: spec.url, provider: undefined, runtime: undefined }) !== undefined;
  return address.provider && isOwned ? placeOf(secure) : placeOf(await findUrl(round, spec.url));
}

/** Asks without the key: it must not travel in clear text to a worker that speaks HTTPS. */
async function findUrl(round: Round, host: string): Promise<string> {
  const { questions, healthPath: path } = round;
  const plain = await knock(questions, `http://${host}`, path);
  // A server that expects TLS refuses plain HTTP with 400, or cuts the connection.
  if (plain.reply && plain.reply.status !== 400) return `http://${host}`;
  const secure = await knock(questions, `https://${host}`, path);
  if (secure.reply) return `https://${host}`;
  if (plain.reply) return `http://${host}`;
  // Nothing listens there, or it is something else.
  const spoke = plain.error?.code !== 'upstream_unreachable';
  const grpc = spoke ? await findGrpc(round, host) : undefined;
  if (grpc !== undefined) return grpc;
  const isStranger = plain.error?.code === 'upstream_broken' || plain.error?.code === 'upstream_invalid_answer';
  const why = isStranger ? 'it speaks neither HTTP nor HTTPS nor gRPC' : (plain.error?.message ?? 'no answer');
  throw new GatewayError('upstream_unreachable', `The URL names no scheme, and ${why}`);
}

/** In clear text first, as over HTTP; undefined: no engine answers. */
async function findGrpc({ worker, engines, timeoutMs }: Round, host: string): Promise<string | undefined> {
  if (!/:\d+$/.test(host)) return undefined;
  for (const url of [`grpc://${host}`, `grpcs://${host}`]) {
    try {
      await engines.detect({ ...worker.address, url, apiKey: undefined }, timeoutMs);
      return url;
    } catch {
      // Whatever was answered, it was no engine's word; what HTTP came to is the better reason to tell.
    }
  }
  return undefined;
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
