/** Embeddings by tokens: one answer, whole. */
import type { GatewayError } from '../../domain/errors.ts';
import type { Embedding } from '../../domain/token-generation.ts';
import type { AnswerParts } from '../answer.ts';
import { JSON_TYPE } from '../translation/answer-headers.ts';
import type { EmbedAnswer, TokenHost } from './token-answer.ts';
import { refuseBytes } from './token-answer.ts';
import type { EmbedTokens } from './token-prompt.ts';

interface EmbedSides {
  readonly host: TokenHost;
  /** As the client named it. */
  readonly model: string;
  readonly tokens: EmbedTokens;
}

export class EmbeddedAnswer implements EmbedAnswer {
  readonly usage = undefined;
  readonly data = refuseBytes;
  readonly #parts: AnswerParts;
  readonly #sides: EmbedSides;

  constructor(parts: AnswerParts, sides: EmbedSides) {
    this.#parts = parts;
    this.#sides = sides;
  }

  embedded(embeddings: readonly Embedding[]): void {
    const { host, gate, record, clock } = this.#parts;
    if (host.isOver) return;
    const { model, tokens } = this.#sides;
    const body = tokens.finish(tokens.codec.encodeAnswer(embeddings, { model, request: tokens.request }));
    const inputTokens = embeddings.reduce((sum, { promptTokens }) => sum + promptTokens, 0);
    record.firstContentAt = clock.now();
    record.usage = { inputTokens, outputTokens: 0, cachedInputTokens: 0 };
    gate.headers = ['content-type', JSON_TYPE];
    gate.writeWhole(body);
    host.finish({ kind: 'served', status: gate.status });
  }

  error(error: GatewayError, mayRetry: boolean): void {
    this.#sides.host.failedByWorker(error, mayRetry);
  }

  tick(): void {}

  /** What comes by itself has no other end. */
  end(): void {}

  encodeError(): undefined {
    return undefined;
  }
}
