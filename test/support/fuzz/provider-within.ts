/**
 * A simulated provider without its sockets: the same checks and the same answers, some ten thousand a second. Headers
 * and keys are not looked at.
 */
import type { Exchange } from '../../../sim/http/exchange.ts';
import type { Dialect } from '../../../sim/providers/dialect.ts';
import { createDialect } from '../../../sim/providers/kinds.ts';
import type { ProviderOptions, ProviderSpec } from '../../../sim/providers/options.ts';
import { resolveProvider } from '../../../sim/providers/options.ts';
import { Refusal } from '../../../sim/providers/refusal.ts';
import { Sealer } from '../../../sim/providers/seal.ts';

export interface Reply {
  readonly status: number;
  readonly body: Buffer;
  /** Why it was refused. */
  readonly reason: string | undefined;
}

export class ProviderWithin {
  readonly #options: ProviderOptions;
  readonly #dialect: Dialect;
  readonly #sealer: Sealer;
  #ids = 0;

  constructor(spec: ProviderSpec) {
    this.#options = resolveProvider(spec);
    this.#dialect = createDialect(this.#options);
    this.#sealer = new Sealer(this.#options.secret);
  }

  /** The answer, whole even where the body asks for a stream. */
  ask(path: string, body: Buffer): Reply {
    const {
      stream: _stream,
      stream_options: _options,
      ...whole
    } = JSON.parse(body.toString()) as Record<string, unknown>;
    return this.#answer(path, whole, wholeExchange);
  }

  /** The answer as a stream. */
  async askStream(path: string, body: Buffer): Promise<Reply> {
    const asked = JSON.parse(body.toString()) as Record<string, unknown>;
    const isGemini = path.includes(':generateContent');
    const streamPath = isGemini ? path.replace(':generateContent', ':streamGenerateContent') : path;
    const { exchange, ended } = streamExchange();
    const reply = this.#answer(streamPath, isGemini ? asked : { ...asked, stream: true }, () => exchange);
    return reply.status === 200 ? { ...reply, body: await ended } : reply;
  }

  #answer(path: string, body: Record<string, unknown>, open: (keep: (body: Buffer) => void) => Exchange): Reply {
    const found = this.#dialect.endpoints.find(({ method, pattern }) => method === 'POST' && pattern.test(path));
    if (!found) throw new Error(`${path} is not there`);
    let answer = Buffer.alloc(0);
    const exchange = open((given) => {
      answer = Buffer.from(given);
    });
    try {
      found.answer({
        exchange,
        options: this.#options,
        sealer: this.#sealer,
        body,
        params: { ...found.pattern.exec(path)?.groups },
        cache: { visit: () => false },
        conversations: { keep: () => undefined, find: () => undefined },
        newId: (prefix, digits = 24) => this.#newId(prefix, digits),
      });
      return { status: 200, body: answer, reason: undefined };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { status, message, param } = error.words;
      return {
        status,
        body: Buffer.from(JSON.stringify(this.#dialect.wordRefusal(error.words, 'req_1'))),
        reason: `${param ?? ''} ${message}`,
      };
    }
  }

  #newId(prefix: string, digits: number): string {
    this.#ids += 1;
    return prefix + this.#ids.toString(16).padStart(digits, '0');
  }
}

const REQUEST = { headers: { 'anthropic-version': '2023-06-01' }, httpVersion: '1.0' };

/** As much of an exchange as answers touch when nothing is to go wrong. */
function wholeExchange(keep: (body: Buffer) => void): Exchange {
  const exchange = {
    request: REQUEST,
    isOpen: true,
    fault: undefined,
    query: new URLSearchParams('alt=sse'),
    answer: (_status: number, _headers: unknown, body: Buffer) => keep(body),
  };
  return exchange as unknown as Exchange;
}

function streamExchange(): { readonly exchange: Exchange; readonly ended: Promise<Buffer> } {
  const written: Buffer[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<Buffer>();
  const response = {
    writeHead: () => undefined,
    write: (text: string) => written.push(Buffer.from(text)),
    end: () => resolve(Buffer.concat(written)),
  };
  const host = { counters: { streamOpened: () => undefined, streamClosed: () => undefined } };
  const query = new URLSearchParams('alt=sse');
  const exchange = { request: REQUEST, response, host, isOpen: true, fault: undefined, query, onEnd: () => undefined };
  return { exchange: exchange as unknown as Exchange, ended };
}
