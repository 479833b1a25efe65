/** What reads an answer that goes through the hub: which codec takes the worker's bytes in, which one gives the client's out. */
import type { Answer, AnswerParts } from '../answer.ts';
import type { HubSides } from './hub-sides.ts';
import type { AnswerReader } from './outbound.ts';
import { TranslatedBodyAnswer } from './translated-body-answer.ts';
import { TranslatedStreamAnswer } from './translated-stream-answer.ts';

export class HubReader implements AnswerReader {
  readonly #sides: HubSides;

  constructor(sides: HubSides) {
    this.#sides = sides;
  }

  read(parts: AnswerParts, isEventStream: boolean): Answer {
    if (isEventStream && this.#sides.isStream) return new TranslatedStreamAnswer(parts, this.#sides);
    return new TranslatedBodyAnswer(parts, this.#sides, isEventStream);
  }
}
