/**
 * The signals that end the process: the first one asks to finish, the second one ends at once. Owns which signals count
 * and which are echoes; what ending means is up to the commands.
 */

/** Ctrl-C or a closed terminal under npm reaches us twice: from the terminal, and passed on by npm. */
const ECHO_MS = 100;

/** Counts stop signals, leaving out echoes. Times in ms from any steady clock. */
export function createStopCounter(): (signal: NodeJS.Signals, atMs: number) => number {
  let count = 0;
  let last: { signal: NodeJS.Signals; atMs: number } | undefined;
  return (signal, atMs) => {
    const isEcho = signal !== 'SIGTERM' && last?.signal === signal && atMs - last.atMs < ECHO_MS;
    last = { signal, atMs };
    if (!isEcho) count += 1;
    return count;
  };
}

/** Two moments that may come, each with its signal. Neither promise ever rejects. */
export interface StopSignals {
  readonly first: Promise<NodeJS.Signals>;
  readonly second: Promise<NodeJS.Signals>;
}

/** Listens from now until the process ends. */
export function listenForStop(): StopSignals {
  const first = Promise.withResolvers<NodeJS.Signals>();
  const second = Promise.withResolvers<NodeJS.Signals>();
  const count = createStopCounter();
  const onSignal = (signal: NodeJS.Signals) => {
    const nth = count(signal, performance.now());
    (nth === 1 ? first : second).resolve(signal);
  };
  // SIGHUP: the terminal is gone. Its default would end us without a word to the engines.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal);
  return { first: first.promise, second: second.promise };
}
