/**
 * Times small pieces of code against each other: in one process, in turns, the best of many rounds.
 * Shapes  race(contest, rounds) → Timed[], in the order of the contenders
 * Units   ns for one unit; a batch lasts BATCH_MS, so that the clock's own step does not count
 * Why     in turns: a slow moment of a shared machine then hits all alike; the best: noise only ever makes it slower
 */
export interface Contender {
  readonly name: string;
  /** Does it so many times; returns what depends on each time, so that none of it can be left out. */
  run(times: number): number | Promise<number>;
}

export interface Contest {
  readonly name: string;
  /** The first one is the alternative that the others are compared with. */
  readonly contenders: readonly Contender[];
  /** Units in one time, such as the events of one read; 1 by default. */
  readonly units?: number;
  close?(): Promise<void>;
}

export interface Timed {
  readonly name: string;
  readonly ns: number;
}

const BATCH_MS = 20;
const MAX_TIMES = 2 ** 26;

interface Lane {
  readonly contender: Contender;
  readonly times: number;
  best: number;
}

export async function race(contest: Contest, rounds: number): Promise<Timed[]> {
  const lanes: Lane[] = [];
  for (const contender of contest.contenders) {
    lanes.push({ contender, times: await calibrate(contender), best: Number.POSITIVE_INFINITY });
  }
  for (let round = 0; round < rounds; round++) {
    for (const lane of lanes) lane.best = Math.min(lane.best, (await batchMs(lane.contender, lane.times)) / lane.times);
  }
  await contest.close?.();
  return lanes.map(({ contender, best }) => ({ name: contender.name, ns: (best * 1e6) / (contest.units ?? 1) }));
}

/** How many times fill a batch; finding it out warms the code up as well. */
async function calibrate(contender: Contender): Promise<number> {
  let times = 1;
  while (times < MAX_TIMES && (await batchMs(contender, times)) < BATCH_MS) times *= 2;
  return times;
}

let kept = 0;

async function batchMs(contender: Contender, times: number): Promise<number> {
  // What the one before has left to the event loop is not counted here.
  await new Promise((resolve) => setImmediate(resolve));
  const startedAt = performance.now();
  kept += await contender.run(times);
  const ms = performance.now() - startedAt;
  if (!Number.isFinite(kept)) throw new Error(`${contender.name} did nothing that could be counted`);
  return ms;
}
