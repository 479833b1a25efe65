/** What a provider says when it will not do what it is asked: thrown by checks, worded by the provider's dialect. */

/** The facts of a refusal; each dialect puts them into its own body. */
export interface RefusalWords {
  readonly status: number;
  readonly message: string;
  /** The provider's error type or status name; its dialect has one for each HTTP status. */
  readonly type?: string;
  /** The request's field at fault. */
  readonly param?: string;
  readonly code?: string;
  /** Google's `details`. */
  readonly details?: readonly unknown[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refused request. Caught by `serve.ts` and nowhere else. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly words: RefusalWords;

  constructor(words: RefusalWords) {
    super(words.message);
    this.words = words;
  }
}
