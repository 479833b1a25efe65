/** Ids as they come, in one growing array. */

export class IdList {
  length = 0;
  #ids = new Int32Array(1024);

  push(id: number): void {
    if (this.length === this.#ids.length) this.#grow(this.length + 1);
    this.#ids[this.length++] = id;
  }

  /** `count` ids of `from`, beginning at `start`. */
  append(from: Int32Array, start: number, count: number): void {
    if (this.length + count > this.#ids.length) this.#grow(this.length + count);
    const ids = this.#ids;
    let to = this.length;
    for (let at = start; at < start + count; at++) ids[to++] = from[at] ?? 0;
    this.length = to;
  }

  /** All ids as an array of their own; the list is empty afterwards. */
  take(): Uint32Array {
    const taken = new Uint32Array(this.length);
    taken.set(this.#ids.subarray(0, this.length));
    this.length = 0;
    // A long prompt is no reason to hold its room for ever.
    if (this.#ids.length > 1 << 18) this.#ids = new Int32Array(1024);
    return taken;
  }

  #grow(atLeast: number): void {
    const grown = new Int32Array(Math.max(atLeast, this.#ids.length * 2));
    grown.set(this.#ids.subarray(0, this.length));
    this.#ids = grown;
  }
}
