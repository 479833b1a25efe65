/**
 * Places and the two lists they stand in: those of a class that wait, first come first served, and those that run
 * and whose answer has not begun, latest last. Both are linked through the places themselves: every act is O(1).
 *
 *   waiting --its turn--> running --release--> over
 *      |                     '------preempted----^
 *      '--left, timed out, refused---------------'
 */
import type { GatewayError } from '../domain/errors.ts';
import type { AdmissionTicket, TicketHolder } from '../domain/ports.ts';
import type { CallRecord } from '../domain/record.ts';
import type { ClassOptions } from './classes.ts';

/** What a place needs of the gate that made it. */
export interface PlaceOwner {
  released(place: Place): void;
}

export class Place implements AdmissionTicket {
  state: 'waiting' | 'running' | 'over' = 'waiting';
  readonly line: Line;
  readonly record: CallRecord;
  readonly bodyBytes: number;
  /** When it began to wait; 0 for one that did not. */
  since = 0;
  previous: Place | undefined = undefined;
  next: Place | undefined = undefined;
  /** Stands in the list of those that can be preempted. */
  isFresh = false;
  #owner: PlaceOwner;
  #onTurn: ((refusal: GatewayError | undefined) => void) | undefined = undefined;
  #holder: TicketHolder | undefined = undefined;
  #preemption: GatewayError | undefined = undefined;

  constructor(owner: PlaceOwner, line: Line, record: CallRecord, bodyBytes: number) {
    this.#owner = owner;
    this.line = line;
    this.record = record;
    this.bodyBytes = bodyBytes;
  }

  get isAdmitted(): boolean {
    return this.state === 'running';
  }

  onTurn(listener: (refusal: GatewayError | undefined) => void): void {
    this.#onTurn = listener;
  }

  onPreempted(holder: TicketHolder): void {
    this.#holder = holder;
    if (this.#preemption) holder.preempted(this.#preemption);
  }

  committed(): void {
    if (this.isFresh) this.line.fresh.delete(this);
    this.isFresh = false;
  }

  release(): void {
    if (this.state !== 'over') this.#owner.released(this);
  }

  /** Tells the one that waits; the state has been changed before. */
  tell(refusal: GatewayError | undefined): void {
    const listener = this.#onTurn;
    this.#onTurn = undefined;
    listener?.(refusal);
  }

  preempt(error: GatewayError): void {
    this.#preemption = error;
    this.#holder?.preempted(error);
  }
}

/** A list linked through its places. A place stands in one list at a time. */
export class PlaceList {
  first: Place | undefined = undefined;
  last: Place | undefined = undefined;
  size = 0;

  push(place: Place): void {
    place.previous = this.last;
    place.next = undefined;
    if (this.last) this.last.next = place;
    else this.first = place;
    this.last = place;
    this.size += 1;
  }

  delete(place: Place): void {
    if (place.previous) place.previous.next = place.next;
    else this.first = place.next;
    if (place.next) place.next.previous = place.previous;
    else this.last = place.previous;
    place.previous = undefined;
    place.next = undefined;
    this.size -= 1;
  }
}

/** One class: who waits, who runs, how many places are kept for it. */
export class Line {
  readonly options: ClassOptions;
  readonly waiting = new PlaceList();
  /** Running, and nothing of the answer has been written: may be preempted. */
  readonly fresh = new PlaceList();
  running = 0;
  reserved = 0;

  constructor(options: ClassOptions) {
    this.options = options;
  }

  /** Places kept for it that it does not use now. */
  get unmet(): number {
    return this.running < this.reserved ? this.reserved - this.running : 0;
  }
}
