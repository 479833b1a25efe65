/** What this engine cannot read. The caller decides: encode elsewhere, or refuse the model. */

/** Thrown while a tokenizer is made; `message` ends the sentence "the tokenizer has". */
export class UnusableTokenizer extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'UnusableTokenizer';
  }
}
