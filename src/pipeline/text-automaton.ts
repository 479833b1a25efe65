/**
 * Finds the first of many strings in text that comes in pieces (Aho and Corasick's automaton): after each character its
 * state says which string ends here, and how much of the end of the text one of them begins with.
 * Units  UTF-16 units. Cost  each character once, whatever the number of strings; some 24 bytes for each of theirs.
 */
export class TextAutomaton {
  /** Lists that run in step, one entry for each node; node 0 is the root and stands for no text. */
  readonly #chars: Int32Array;
  readonly #firstChild: Int32Array;
  readonly #sibling: Int32Array;
  readonly #fail: Int32Array;
  readonly #depth: Int32Array;
  /** Index + 1 of the longest string that ends here; 0: none. */
  readonly #hit: Int32Array;
  readonly texts: readonly string[];

  /** Strings with halves of surrogate pairs are never found: text that was decoded from bytes has none. */
  constructor(texts: readonly string[]) {
    this.texts = texts;
    const size = texts.reduce((sum, text) => sum + text.length, 1);
    this.#chars = new Int32Array(size);
    this.#firstChild = new Int32Array(size);
    this.#sibling = new Int32Array(size);
    this.#fail = new Int32Array(size);
    this.#depth = new Int32Array(size);
    this.#hit = new Int32Array(size);
    let count = 1;
    for (const [index, text] of texts.entries()) if (text.isWellFormed()) count = this.#insert(text, index, count);
    this.#linkFailures(count);
  }

  /** The state after one more character; the first state is 0. */
  next(node: number, char: number): number {
    for (let from = node; ; from = this.#fail[from] ?? 0) {
      const child = this.#childOf(from, char);
      if (child !== 0 || from === 0) return child;
    }
  }

  /** Which string ends in this state, the longest if several do; -1: none. */
  hitOf(node: number): number {
    return (this.#hit[node] ?? 0) - 1;
  }

  /** How many characters at the end of the text may be the beginning of a string. */
  depthOf(node: number): number {
    return this.#depth[node] ?? 0;
  }

  #childOf(node: number, char: number): number {
    let child = this.#firstChild[node] ?? 0;
    while (child !== 0 && this.#chars[child] !== char) child = this.#sibling[child] ?? 0;
    return child;
  }

  /** Returns how many nodes there are now. */
  #insert(text: string, index: number, count: number): number {
    let node = 0;
    let total = count;
    for (let i = 0; i < text.length; i += 1) {
      const char = text.charCodeAt(i);
      let child = this.#childOf(node, char);
      if (child === 0) {
        child = total;
        total += 1;
        this.#chars[child] = char;
        this.#depth[child] = i + 1;
        this.#sibling[child] = this.#firstChild[node] ?? 0;
        this.#firstChild[node] = child;
      }
      node = child;
    }
    this.#hit[node] ||= index + 1;
    return total;
  }

  /** In order of depth: the link of a node is there before its children need it. */
  #linkFailures(count: number): void {
    const queue = new Int32Array(count);
    let filled = 1;
    for (let head = 0; head < filled; head += 1) {
      const node = queue[head] ?? 0;
      for (let child = this.#firstChild[node] ?? 0; child !== 0; child = this.#sibling[child] ?? 0) {
        const fail = node === 0 ? 0 : this.next(this.#fail[node] ?? 0, this.#chars[child] ?? 0);
        this.#fail[child] = fail;
        this.#hit[child] ||= this.#hit[fail] ?? 0;
        queue[filled] = child;
        filled += 1;
      }
    }
  }
}
