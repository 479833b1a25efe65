/** The classes of admission and what each of them is given. Index 0 is the most important. */

export const CLASS_NAMES = ['system', 'interactive', 'default', 'bulk'] as const;
export type ClassName = (typeof CLASS_NAMES)[number];

/** What one class is given; times in ms. */
export interface ClassOptions {
  /** Empty for the only class of a gateway without classes. */
  readonly name: string;
  /** Places kept free for it: the larger of a number and a share of all places. */
  readonly reservedFloor: number;
  readonly reservedPerSlot: number;
  /** Calls that may wait; 0 = nobody waits. */
  readonly queueSize: number;
  readonly queueTimeoutMs: number;
  /** A call that has waited this long goes next, whatever its class. */
  readonly starvationMs: number;
  /** May take the place of a lower class's call whose answer has not begun. */
  readonly mayPreempt: boolean;
}

const common = { starvationMs: 5_000, queueTimeoutMs: 30_000, reservedFloor: 0, reservedPerSlot: 0 };

/** In the order of `CLASS_NAMES`. Source: the original's table (its priority scheduler's defaults). */
export const CLASS_DEFAULTS: readonly ClassOptions[] = [
  { ...common, name: 'system', reservedFloor: 32, queueSize: 64, mayPreempt: true },
  { ...common, name: 'interactive', reservedFloor: 128, reservedPerSlot: 0.25, queueSize: 256, mayPreempt: true },
  {
    ...common,
    name: 'default',
    reservedPerSlot: 0.1,
    queueSize: 512,
    queueTimeoutMs: 60_000,
    starvationMs: 30_000,
    mayPreempt: false,
  },
  {
    ...common,
    name: 'bulk',
    queueSize: 1_024,
    queueTimeoutMs: 300_000,
    starvationMs: 120_000,
    mayPreempt: false,
  },
];

/** Reservations together never take more than this share of the places, so that no small fleet shuts a class out. */
const MAX_RESERVED_SHARE = 0.5;

/** Places kept for each class out of `capacity`; all shrink in proportion when they would take too many. */
export function reservations(classes: readonly ClassOptions[], capacity: number): number[] {
  if (!Number.isFinite(capacity)) return classes.map(() => 0);
  const wanted = classes.map((each) => Math.max(each.reservedFloor, Math.ceil(each.reservedPerSlot * capacity)));
  const sum = wanted.reduce((total, one) => total + one, 0);
  const most = Math.floor(capacity * MAX_RESERVED_SHARE);
  return sum <= most ? wanted : wanted.map((one) => Math.floor((one * most) / sum));
}
