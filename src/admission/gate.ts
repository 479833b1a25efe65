/**
 * Who may run now, who waits, who is turned away: a cap on running calls, a line for each class, reservations, a guard
 * against starving, and preemption. Decides on plain data and is told the time; who waits is told through listeners,
 * and timers are their owner's business (server/middleware/admit.ts).
 *
 * Whose turn it is, when a place is free: the longest overdue of those that starve; else the most important class that
 * has room. A class has room below its own reservation, or where more places are free than the others' reservations
 * still need. With no room, a class that may preempt takes the place of the latest call of the lowest class that is
 * above its reservation and whose answer has not begun.
 *
 * Cost   a call that need not wait: one Place and a look at each class; everything else O(classes), classes ≤ 4
 * Bound  waiting calls by the classes' queue sizes, their bodies together by MAX_WAITING_BYTES
 */
import { GatewayError } from '../domain/errors.ts';
import type { AdmissionGate, AdmissionRequest, AdmissionTicket, AdmissionView } from '../domain/ports.ts';
import type { CallRecord } from '../domain/record.ts';
import { reservations } from './classes.ts';
import type { ClassChooser } from './choose-class.ts';
import type { ClassOptions } from './classes.ts';
import { Line, Place } from './place.ts';
import type { PlaceOwner } from './place.ts';
import { preempted, Turnaway } from './turn-away.ts';
import { TokenBucket } from './token-bucket.ts';

export interface GateOptions {
  /** Most important first. */
  readonly classes: readonly ClassOptions[];
  readonly chooser: ClassChooser;
  /** Calls that may run at once; Infinity = no cap. */
  readonly capacity: number;
  /** Admissions per second; 0 = no limit. */
  readonly ratePerSecond: number;
}

/** Bodies of waiting calls together; one alone may be larger. */
export const MAX_WAITING_BYTES = 256 * 1024 * 1024;

export class Gate implements AdmissionGate, PlaceOwner {
  readonly #lines: readonly Line[];
  readonly #chooser: ClassChooser;
  readonly #now: () => number;
  readonly #ratePerSecond: number;
  readonly #bucket: TokenBucket | undefined;
  readonly #mayPreempt: boolean;
  readonly #turnaway: Turnaway;
  #capacity: number;
  #running = 0;
  #waiting = 0;
  #waitingBytes = 0;
  #pumpedAt = 0;
  /** Why the last pump ended with somebody waiting. */
  #lacksToken = false;

  constructor({ classes, chooser, capacity, ratePerSecond }: GateOptions, now: () => number) {
    this.#lines = classes.map((options) => new Line(options));
    this.#chooser = chooser;
    this.#now = now;
    this.#capacity = capacity;
    this.#ratePerSecond = ratePerSecond;
    this.#mayPreempt = classes.some(({ mayPreempt }) => mayPreempt);
    this.#turnaway = new Turnaway(ratePerSecond);
    if (ratePerSecond > 0) this.#bucket = new TokenBucket(ratePerSecond, this.#burst(), now());
    this.#reserve();
  }

  get waiting(): number {
    return this.#waiting;
  }

  expect({ headers, principal, record }: AdmissionRequest): number {
    const index = this.#chooser.choose(headers, principal.tenant);
    const line = this.#lines[index] as Line;
    record.priorityClass = line.options.name;
    const { waiting, options } = line;
    if (waiting.size < options.queueSize) return index;
    // Those that wait in its class go first, and none of them may run now.
    if (waiting.size > 0 || !this.#mayRunNow(line)) throw this.#refuse('queue_full', line, record);
    return index;
  }

  enter(classIndex: number, record: CallRecord, bodyBytes: number): AdmissionTicket {
    const line = this.#lines[classIndex] as Line;
    const place = new Place(this, line, record, bodyBytes);
    if (this.#waiting === 0 && this.#hasRoom(line) && this.#hasToken()) {
      this.#admit(place);
      return place;
    }
    this.#queue(place);
    this.#pump();
    // Its class keeps nobody waiting, and it was not its turn.
    if (place.state === 'waiting' && line.waiting.size > line.options.queueSize) {
      this.#leaveLine(place);
      throw this.#refuse('queue_full', line, record);
    }
    return place;
  }

  look(): void {
    const now = this.#now();
    for (const line of this.#lines) {
      for (let first = line.waiting.first; first; first = line.waiting.first) {
        if (now < first.since + line.options.queueTimeoutMs) break;
        this.#leaveLine(first);
        first.tell(this.#refuse('queue_timeout', line, first.record));
      }
    }
    this.#pump();
  }

  get nextLookAt(): number {
    if (this.#waiting === 0) return Number.POSITIVE_INFINITY;
    // As seen by the last pump: what has come about since then has still to be looked at, at once.
    let at = this.#lacksToken && this.#bucket ? this.#bucket.nextAt(this.#now()) : Number.POSITIVE_INFINITY;
    const isFree = this.#running < this.#capacity;
    for (const { waiting, options } of this.#lines) {
      if (!waiting.first) continue;
      const { since } = waiting.first;
      at = Math.min(at, since + options.queueTimeoutMs);
      const starvesAt = since + options.starvationMs;
      if (isFree && starvesAt > this.#pumpedAt) at = Math.min(at, starvesAt);
    }
    return at;
  }

  resize(capacity: number): void {
    if (capacity === this.#capacity) return;
    this.#capacity = capacity;
    this.#bucket?.resize(this.#burst());
    this.#reserve();
    this.#pump();
  }

  refuseAll(error: GatewayError): void {
    for (const line of this.#lines) {
      for (let first = line.waiting.first; first; first = line.waiting.first) {
        this.#leaveLine(first);
        first.record.admission = 'refused';
        first.tell(error);
      }
    }
  }

  view(): AdmissionView {
    const classes = this.#lines.map(({ options, waiting, running }) => ({
      name: options.name,
      waiting: waiting.size,
      running,
    }));
    return { capacity: this.#capacity, classes };
  }

  released(place: Place): void {
    if (place.state === 'waiting') {
      this.#leaveLine(place);
      place.record.admission = 'left';
      return;
    }
    this.#leave(place);
    if (this.#waiting === 0) return;
    this.#turnaway.placeFreed(this.#now());
    this.#pump();
  }

  /** Lets in whoever may come in; afterwards nobody waits whose turn it is. */
  #pump(): void {
    if (this.#waiting === 0) return;
    const now = this.#now();
    this.#pumpedAt = now;
    for (;;) {
      this.#lacksToken = this.#bucket !== undefined && !this.#bucket.has(now);
      if (this.#lacksToken) return;
      const line = this.#nextWithRoom(now) ?? this.#makeRoom();
      const place = line?.waiting.first;
      if (!place) return;
      const isStarving = now >= place.since + place.line.options.starvationMs;
      this.#leaveLine(place);
      this.#admit(place);
      place.record.admittedAt = now;
      // Whoever waited this long is not thrown out again.
      if (isStarving) place.committed();
      place.tell(undefined);
    }
  }

  #nextWithRoom(now: number): Line | undefined {
    if (this.#waiting === 0 || this.#running >= this.#capacity) return undefined;
    let starving: Line | undefined;
    let overdue = 0;
    let next: Line | undefined;
    for (const line of this.#lines) {
      const first = line.waiting.first;
      if (!first) continue;
      const late = now - first.since - line.options.starvationMs;
      if (late >= overdue) {
        // Of two that are equally late the more important one, which came first in this loop.
        if (!starving || late > overdue) starving = line;
        overdue = late;
      }
      if (!next && this.#hasRoom(line)) next = line;
    }
    return starving ?? next;
  }

  /** Preempts one call for the most important class that may do so; that class's first call goes next. */
  #makeRoom(): Line | undefined {
    // Above a cap that has shrunk nobody comes in, not even in another's place.
    if (!this.#mayPreempt || this.#waiting === 0 || this.#running > this.#capacity) return undefined;
    for (const line of this.#lines) {
      if (line.waiting.size === 0 || !line.options.mayPreempt) continue;
      const victim = this.#victimOf(line);
      if (!victim) continue;
      this.#leave(victim);
      victim.record.admission = 'preempted';
      victim.preempt(preempted());
      return line;
    }
    return undefined;
  }

  #victimOf(line: Line): Place | undefined {
    for (let i = this.#lines.length - 1; this.#lines[i] !== line; i -= 1) {
      const lower = this.#lines[i] as Line;
      if (lower.fresh.last && lower.running > lower.reserved) return lower.fresh.last;
    }
    return undefined;
  }

  /** For a class in which nobody waits. */
  #mayRunNow(line: Line): boolean {
    if (!this.#hasToken()) return false;
    if (this.#hasRoom(line)) return true;
    return line.options.mayPreempt && this.#running <= this.#capacity && this.#victimOf(line) !== undefined;
  }

  #hasRoom(line: Line): boolean {
    const free = this.#capacity - this.#running;
    if (free <= 0) return false;
    if (line.running < line.reserved) return true;
    let unmet = 0;
    for (const other of this.#lines) unmet += other.unmet;
    return free > unmet;
  }

  #hasToken(): boolean {
    return this.#bucket === undefined || this.#bucket.has(this.#now());
  }

  #admit(place: Place): void {
    place.state = 'running';
    place.record.admission = 'admitted';
    place.line.running += 1;
    this.#running += 1;
    this.#bucket?.take();
    if (!this.#mayPreempt) return;
    place.isFresh = true;
    place.line.fresh.push(place);
  }

  #queue(place: Place): void {
    if (this.#waiting > 0 && this.#waitingBytes + place.bodyBytes > MAX_WAITING_BYTES) {
      throw this.#refuse('queue_full', place.line, place.record);
    }
    if (place.line.waiting.size > 0 && place.line.waiting.size >= place.line.options.queueSize) {
      throw this.#refuse('queue_full', place.line, place.record);
    }
    place.since = this.#now();
    place.record.queuedAt = place.since;
    place.line.waiting.push(place);
    this.#waiting += 1;
    this.#waitingBytes += place.bodyBytes;
  }

  #leaveLine(place: Place): void {
    place.state = 'over';
    place.line.waiting.delete(place);
    this.#waiting -= 1;
    this.#waitingBytes -= place.bodyBytes;
  }

  #leave(place: Place): void {
    place.committed();
    place.state = 'over';
    place.line.running -= 1;
    this.#running -= 1;
  }

  #refuse(code: 'queue_full' | 'queue_timeout', line: Line, record: CallRecord): GatewayError {
    record.admission = 'refused';
    const free = Math.max(0, this.#capacity - this.#running);
    return this.#turnaway.error(code, { line, waiting: this.#waiting, capacity: this.#capacity, free });
  }

  #burst(): number {
    return Math.max(1, Number.isFinite(this.#capacity) ? this.#capacity : Math.ceil(this.#ratePerSecond));
  }

  #reserve(): void {
    const options = this.#lines.map((line) => line.options);
    for (const [i, reserved] of reservations(options, this.#capacity).entries()) {
      (this.#lines[i] as Line).reserved = reserved;
    }
  }
}
