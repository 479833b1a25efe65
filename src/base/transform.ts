/**
 * A synchronous state machine over a stream: 0 to n outputs for each input; never waits, owns no I/O. Chained stages
 * cost a call each, where a chain of async generators costs a promise for each chunk and stage.
 */
export interface Transform<In, Out> {
  push(input: In, emit: (out: Out) => void): void;
  /** The input has ended. */
  end(emit: (out: Out) => void): void;
}
