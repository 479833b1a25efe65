/**
 * Work that is done once at the end of a turn of the event loop, however often it is asked for in the turn: what one read
 * of one socket brought for many streams leaves in one write for each of them.
 * Cost  one timer of the loop for all tasks of a turn
 */
export interface TurnTask {
  /** It is in the list of this turn; written by TurnEnd only. */
  isDue: boolean;
  run(): void;
}

export class TurnEnd {
  #tasks: TurnTask[] = [];
  readonly #defer: (run: () => void) => void;

  constructor(defer: (run: () => void) => void = (run) => void setImmediate(run)) {
    this.#defer = defer;
  }

  /** Once in a turn, whoever asks how often. */
  add(task: TurnTask): void {
    if (task.isDue) return;
    task.isDue = true;
    this.#tasks.push(task);
    if (this.#tasks.length === 1) this.#defer(this.#runAll);
  }

  readonly #runAll = (): void => {
    const tasks = this.#tasks;
    this.#tasks = [];
    for (const task of tasks) {
      task.isDue = false;
      task.run();
    }
  };
}
