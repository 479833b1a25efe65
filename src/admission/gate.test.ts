/** Who comes in, who waits and who is turned away, on a clock that the test moves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManualClock } from '../base/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import { CallRecord } from '../domain/record.ts';
import { chooserOf, onlyClass } from './choose-class.ts';
import { CLASS_DEFAULTS, CLASS_NAMES, reservations } from './classes.ts';
import type { ClassName, ClassOptions } from './classes.ts';
import { Gate, MAX_WAITING_BYTES } from './gate.ts';
import type { GateOptions } from './gate.ts';
import type { Place } from './place.ts';

const ALONE: ClassOptions = {
  name: '',
  reservedFloor: 0,
  reservedPerSlot: 0,
  queueSize: 3,
  queueTimeoutMs: 60_000,
  starvationMs: 60_000,
  mayPreempt: false,
};

/** One call as a test follows it. */
interface Guest {
  readonly name: string;
  readonly classIndex: number;
  readonly record: CallRecord;
  ticket: Place | undefined;
  /** What it was told, in order: `in`, an error's code. */
  readonly told: string[];
  error: GatewayError | undefined;
}

class House {
  readonly clock: ManualClock;
  readonly gate: Gate;
  /** Everything that happened, in order. */
  readonly events: string[] = [];

  constructor(options: Partial<GateOptions> = {}, clock = new ManualClock()) {
    this.clock = clock;
    const all = { classes: [ALONE], chooser: onlyClass, capacity: 2, ratePerSecond: 0, ...options };
    this.gate = new Gate(all, () => this.clock.now());
  }

  /** A call arrives; what happens to it is found in the guest and in `events`. */
  arrive(name: string, className: ClassName | '' = '', bytes = 100): Guest {
    const record = new CallRecord(name, 'POST', '/v1/chat/completions', this.clock.now());
    const classIndex = className === '' ? 0 : CLASS_NAMES.indexOf(className);
    const guest: Guest = { name, classIndex, record, ticket: undefined, told: [], error: undefined };
    const tell = (word: string, error?: GatewayError) => {
      guest.told.push(word);
      guest.error = error;
      this.events.push(`${name} ${word}`);
    };
    try {
      const principal = { kind: 'anonymous', tenant: '', name: '', usedGatewayKey: false } as const;
      const headers = className === '' ? {} : { 'x-smg-priority': className };
      const index = this.gate.expect({ headers, principal, record });
      assert.equal(index, classIndex);
      const ticket = this.gate.enter(index, record, bytes) as Place;
      guest.ticket = ticket;
      ticket.onPreempted({ preempted: (error) => tell(error.code, error) });
      if (ticket.isAdmitted) tell('in');
      else ticket.onTurn((refusal) => tell(refusal?.code ?? 'in', refusal));
    } catch (thrown) {
      const error = GatewayError.from(thrown);
      tell(error.code, error);
    }
    return guest;
  }

  /** Time passes, and the gate is looked at when it wants to be. */
  pass(ms: number): void {
    const end = this.clock.now() + ms;
    for (let at = this.gate.nextLookAt; at <= end; at = this.gate.nextLookAt) {
      this.clock.advance(Math.max(at - this.clock.now(), 0.001));
      this.gate.look();
    }
    this.clock.advance(Math.max(0, end - this.clock.now()));
  }

  waiting(): number[] {
    return this.gate.view().classes.map(({ waiting }) => waiting);
  }

  running(): number[] {
    return this.gate.view().classes.map(({ running }) => running);
  }
}

function headersOf(error: GatewayError | undefined): Record<string, string> {
  const list = error?.headers ?? [];
  return Object.fromEntries(list.flatMap((name, i) => (i % 2 === 0 ? [[name, list[i + 1] as string]] : [])));
}

const chooser = chooserOf({ defaultMaxClass: 'system', maxClassOf: new Map() });

/** The four classes, small; what a test does not name is as in the table. */
function classes(change: Partial<Record<ClassName, Partial<ClassOptions>>> = {}): ClassOptions[] {
  return CLASS_DEFAULTS.map((usual) => ({
    ...usual,
    reservedFloor: 0,
    reservedPerSlot: 0,
    ...change[usual.name as ClassName],
  }));
}

test('as many as the cap run, as many as the queue holds wait in order, the rest are refused at once', () => {
  const house = new House();
  const guests = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => house.arrive(name));
  assert.deepEqual(house.events, ['a in', 'b in', 'f queue_full']);
  assert.deepEqual([house.running(), house.waiting()], [[2], [3]]);
  guests[1]?.ticket?.release();
  guests[0]?.ticket?.release();
  assert.deepEqual(house.events.slice(3), ['c in', 'd in']);
  assert.deepEqual([house.running(), house.waiting()], [[2], [1]]);
});

test('a place is given back once, however often it is released', () => {
  const house = new House({ capacity: 1 });
  const first = house.arrive('a');
  house.arrive('b');
  first.ticket?.release();
  first.ticket?.release();
  house.arrive('c');
  assert.deepEqual([house.events, house.running(), house.waiting()], [['a in', 'b in'], [1], [1]]);
});

test('a wait that lasts too long ends with queue_timeout, at its time, first come first', () => {
  const house = new House({ capacity: 1 });
  house.arrive('a');
  house.arrive('b');
  house.pass(1_000);
  house.arrive('c');
  house.pass(58_999);
  assert.deepEqual(house.events, ['a in']);
  house.pass(1);
  assert.deepEqual(house.events, ['a in', 'b queue_timeout']);
  house.pass(1_000);
  assert.deepEqual(house.events.at(-1), 'c queue_timeout');
  assert.equal(house.gate.nextLookAt, Number.POSITIVE_INFINITY);
});

test('whoever leaves the queue makes room for another and is told nothing', () => {
  const house = new House({ capacity: 1 });
  const first = house.arrive('a');
  const [b, c, d] = ['b', 'c', 'd'].map((name) => house.arrive(name));
  c?.ticket?.release();
  house.arrive('e');
  first.ticket?.release();
  b?.ticket?.release();
  d?.ticket?.release();
  assert.deepEqual(house.events, ['a in', 'b in', 'd in', 'e in']);
  assert.deepEqual([c?.told, c?.record.admission], [[], 'left']);
});

test('the record tells how long a call waited and what became of it', () => {
  const house = new House({ capacity: 1, classes: [{ ...ALONE, queueSize: 1 }] });
  house.pass(1_000);
  const [a, b, c] = ['a', 'b', 'c'].map((name) => house.arrive(name));
  house.pass(250);
  a?.ticket?.release();
  const told = (guest: Guest | undefined) => guest && [guest.record.queuedAt, guest.record.admission];
  assert.deepEqual(
    [told(a), told(b), told(c)],
    [
      [0, 'admitted'],
      [1_000, 'admitted'],
      [0, 'refused'],
    ],
  );
  assert.equal(b?.record.admittedAt, 1_250);
});

test('a refusal says how many may run, and when to come again by the pace at which places became free', () => {
  const house = new House({ capacity: 1, classes: [{ ...ALONE, queueSize: 4 }] });
  let running = house.arrive('first');
  for (let i = 0; i < 40; i += 1) {
    const next = house.arrive(`next ${i}`);
    house.pass(2_000);
    running.ticket?.release();
    running = next;
  }
  for (let i = 0; i < 4; i += 1) house.arrive(`waits ${i}`);
  const refused = house.arrive('refused');
  // Four wait and a place becomes free every 2 s.
  assert.equal(refused.error?.retryAfterSeconds, 10);
  assert.deepEqual(headersOf(refused.error), {
    'x-ratelimit-limit': '1',
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': '10',
  });
});

test('bodies of waiting calls are bounded together, though one alone may be larger', () => {
  const house = new House({ capacity: 1, classes: [{ ...ALONE, queueSize: 100 }] });
  house.arrive('runs');
  const large = house.arrive('large', '', MAX_WAITING_BYTES + 1);
  house.arrive('small');
  large.ticket?.release();
  house.arrive('then');
  assert.deepEqual(house.events, ['runs in', 'small queue_full']);
  assert.deepEqual(house.waiting(), [1]);
});

test('at most so many per second are let in, after a burst of the cap, and waiters come in as tokens do', () => {
  const house = new House({ capacity: 4, ratePerSecond: 2, classes: [{ ...ALONE, queueSize: 100 }] });
  const inside = () => house.events.filter((event) => event.endsWith(' in')).length;
  for (let i = 0; i < 20; i += 1) house.arrive(`${i}`).ticket?.release();
  assert.equal(inside(), 4);
  for (let i = 0; i < 20; i += 1) house.arrive(`w${i}`);
  house.pass(3_000);
  assert.equal(inside(), 8, 'the cap holds beside the rate');
});

test('without a cap the rate alone lets in', () => {
  const house = new House({ capacity: Infinity, ratePerSecond: 10, classes: [{ ...ALONE, queueSize: 1_000 }] });
  for (let i = 0; i < 100; i += 1) house.arrive(`${i}`);
  assert.deepEqual(house.running(), [10]);
  house.pass(5_000);
  assert.deepEqual(house.running(), [60]);
});

test('a smaller cap lets nobody in until enough have left, a larger one lets waiters in at once', () => {
  const house = new House({ capacity: 3 });
  const guests = ['a', 'b', 'c', 'd', 'e'].map((name) => house.arrive(name));
  house.gate.resize(1);
  guests[0]?.ticket?.release();
  guests[1]?.ticket?.release();
  assert.deepEqual([house.running(), house.waiting()], [[1], [2]]);
  house.gate.resize(3);
  assert.deepEqual([house.running(), house.waiting()], [[3], [0]]);
});

test('above a cap that has shrunk nobody comes in, not even in the place of another', () => {
  const house = new House({ capacity: 4, chooser, classes: classes() });
  const guests = ['a', 'b', 'c', 'd'].map((name) => house.arrive(name, 'bulk'));
  house.gate.resize(2);
  house.arrive('s', 'system');
  assert.equal(house.events.length, 4);
  guests[0]?.ticket?.release();
  assert.equal(house.events.length, 4);
  guests[1]?.ticket?.release();
  assert.deepEqual(house.events.slice(4), ['d preempted', 's in']);
});

test('a token that has come meanwhile is for the one that waits, not for one that arrives', () => {
  const house = new House({ capacity: Infinity, ratePerSecond: 1 });
  house.arrive('a');
  house.arrive('b');
  house.clock.advance(1_500);
  house.arrive('c');
  assert.deepEqual(house.events, ['a in', 'b in']);
});

/** A clock as a process has it: no two looks at it show the same time. */
class RunningClock extends ManualClock {
  override now(): number {
    this.advance(0.01);
    return super.now();
  }
}

test('nobody is forgotten whose token comes between two looks at the clock', () => {
  const rate = { capacity: Infinity, ratePerSecond: 731, classes: [{ ...ALONE, queueSize: 10_000 }] };
  const house = new House(rate, new RunningClock());
  for (let i = 0; i < 2_000; i += 1) house.arrive(`${i}`);
  for (let looks = 0; looks < 2_000; looks += 1) {
    house.gate.look();
    assert.ok(house.gate.nextLookAt <= house.clock.now() + 2, 'the next token is awaited');
  }
});

test('nobody is forgotten who begins to starve between two looks at the clock', () => {
  const reserved = classes({ system: { reservedFloor: 1 }, bulk: { starvationMs: 3 } });
  for (let i = 0; i < 100; i += 1) {
    const house = new House({ capacity: 2, chooser, classes: reserved }, new RunningClock());
    house.arrive('first', 'bulk');
    house.arrive('second', 'bulk');
    house.clock.advance(2.9 + i / 500);
    for (let looks = 0; looks < 30 && house.gate.waiting > 0; looks += 1) {
      house.gate.look();
      assert.ok(house.gate.nextLookAt <= house.clock.now() + 3 || house.gate.waiting === 0);
    }
  }
});

test('at the end everybody who waits hears it, and those that run go on', () => {
  const house = new House({ capacity: 1 });
  for (const name of ['a', 'b', 'c']) house.arrive(name);
  house.gate.refuseAll(new GatewayError('shutting_down', 'over'));
  assert.deepEqual(house.events, ['a in', 'b shutting_down', 'c shutting_down']);
  assert.deepEqual([house.running(), house.waiting()], [[1], [0]]);
});

test('the class is what the header says, capped by the tenant; another word is refused by name', () => {
  const of = chooserOf({
    defaultMaxClass: 'default',
    maxClassOf: new Map([
      ['acme', 'system'],
      ['cheap', 'bulk'],
    ]),
  });
  const ask = (word: string | undefined, tenant: string) => CLASS_NAMES[of.choose({ 'x-smg-priority': word }, tenant)];
  assert.deepEqual(
    [ask(undefined, ''), ask('system', ''), ask('bulk', ''), ask('system', 'acme'), ask(undefined, 'cheap')],
    ['default', 'default', 'bulk', 'system', 'bulk'],
  );
  for (const word of ['urgent', '', 'constructor']) {
    assert.throws(() => ask(word, ''), { code: 'invalid_request', param: 'x-smg-priority', message: /x-smg-priority/ });
  }
});

test('when a place is free the most important class goes first, and within a class who came first', () => {
  const house = new House({
    capacity: 1,
    chooser,
    classes: classes({ system: { mayPreempt: false }, interactive: { mayPreempt: false } }),
  });
  let last = house.arrive('runs', 'bulk');
  const order = ['b1 bulk', 'd1 default', 's1 system', 'i1 interactive', 'd2 default', 's2 system', 'i2 interactive'];
  const guests = new Map(
    order.map((each) => [each.split(' ')[0], house.arrive(...(each.split(' ') as [string, ClassName]))]),
  );
  for (const name of ['s1', 's2', 'i1', 'i2', 'd1', 'd2', 'b1']) {
    last.ticket?.release();
    assert.equal(house.events.at(-1), `${name} in`);
    last = guests.get(name) as Guest;
  }
});

test('the latest call of the lowest class gives way before its first byte, never after', () => {
  const house = new House({ capacity: 4, chooser, classes: classes() });
  const [b1, b2, d1] = [house.arrive('b1', 'bulk'), house.arrive('b2', 'bulk'), house.arrive('d1', 'default')];
  house.arrive('b3', 'bulk').ticket?.committed();
  house.arrive('s1', 'system');
  assert.deepEqual(house.events.slice(4), ['b2 preempted', 's1 in']);
  b1.ticket?.committed();
  house.arrive('s2', 'system');
  assert.deepEqual(house.events.slice(6), ['d1 preempted', 's2 in']);
  house.arrive('s3', 'system');
  assert.deepEqual(house.events.slice(8), [], 'its peers and those that answer stay');
  assert.deepEqual(
    [d1.error?.status, d1.error?.retryAfterSeconds, headersOf(d1.error)],
    [503, 1, { 'x-smg-preempted': 'true' }],
  );
  for (const { ticket } of [b2, d1]) ticket?.release();
  assert.deepEqual(
    [house.running(), house.waiting()],
    [
      [2, 0, 0, 2],
      [1, 0, 0, 0],
    ],
  );
});

test('classes that may not preempt wait', () => {
  const house = new House({ capacity: 1, chooser, classes: classes() });
  house.arrive('b', 'bulk');
  house.arrive('d', 'default');
  assert.deepEqual(house.events, ['b in']);
});

test('a reservation is free for its class whatever the others want', () => {
  const house = new House({
    capacity: 10,
    chooser,
    classes: classes({ interactive: { reservedFloor: 3 }, default: { reservedPerSlot: 0.15 } }),
  });
  for (let i = 0; i < 20; i += 1) house.arrive(`b${i}`, 'bulk');
  assert.deepEqual(house.running(), [0, 0, 0, 5]);
  for (let i = 0; i < 5; i += 1) house.arrive(`d${i}`, 'default');
  assert.deepEqual(house.running(), [0, 0, 2, 5]);
  for (let i = 0; i < 3; i += 1) house.arrive(`i${i}`, 'interactive');
  assert.deepEqual(house.running(), [0, 3, 2, 5]);
  assert.ok(!house.events.some((event) => event.endsWith('preempted')));
});

test('a call within the reservation of its class is not preempted', () => {
  const house = new House({ capacity: 4, chooser, classes: classes({ bulk: { reservedFloor: 2 } }) });
  for (let i = 0; i < 4; i += 1) house.arrive(`b${i}`, 'bulk');
  for (let i = 0; i < 4; i += 1) house.arrive(`s${i}`, 'system');
  assert.deepEqual(
    [house.running(), house.waiting()],
    [
      [2, 0, 0, 2],
      [2, 0, 0, 0],
    ],
  );
});

test('whoever has waited past its threshold goes next, before more important classes and into reserved places', () => {
  const house = new House({
    capacity: 2,
    chooser,
    classes: classes({ system: { reservedFloor: 1, mayPreempt: false } }),
  });
  const first = house.arrive('b1', 'bulk');
  house.arrive('b2', 'bulk');
  house.arrive('b3', 'bulk');
  assert.deepEqual(
    [house.running(), house.waiting()],
    [
      [0, 0, 0, 1],
      [0, 0, 0, 2],
    ],
  );
  house.pass(119_999);
  assert.deepEqual(house.running(), [0, 0, 0, 1], 'one place is kept for system');
  house.pass(1);
  assert.deepEqual(house.events, ['b1 in', 'b2 in']);
  house.arrive('s1', 'system');
  first.ticket?.release();
  assert.equal(house.events.at(-1), 'b3 in', 'it starved longer than s1');
});

test('whoever starved is not thrown out again by preemption', () => {
  const house = new House({ capacity: 1, chooser, classes: classes() });
  const runs = house.arrive('runs', 'bulk');
  runs.ticket?.committed();
  house.arrive('b', 'bulk');
  house.pass(120_000);
  runs.ticket?.release();
  house.arrive('s', 'system');
  assert.deepEqual(house.events, ['runs in', 'b in']);
});

test('reservations never take more than half of the places', () => {
  assert.deepEqual(reservations(CLASS_DEFAULTS, 1_024), [32, 256, 103, 0]);
  assert.deepEqual(reservations(CLASS_DEFAULTS, 64), [6, 24, 1, 0]);
  fc.assert(
    fc.property(fc.nat(5_000), (capacity) => {
      const sum = reservations(CLASS_DEFAULTS, capacity).reduce((total, one) => total + one, 0);
      return sum <= capacity / 2;
    }),
  );
});

type Step =
  | { readonly kind: 'arrive'; readonly classIndex: number }
  | { readonly kind: 'release' | 'commit' | 'leave'; readonly pick: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'resize'; readonly capacity: number };

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('arrive' as const), classIndex: fc.nat(3) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constantFrom('release' as const, 'commit' as const, 'leave' as const),
        pick: fc.nat(1_000),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(20_000) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('resize' as const), capacity: fc.integer({ min: 1, max: 8 }) }),
    },
  ),
  { maxLength: 120, size: 'max' },
) satisfies fc.Arbitrary<Step[]>;

interface Walk {
  readonly house: House;
  readonly guests: Guest[];
  readonly committed: Set<Guest>;
  cap: number;
}

function walk(all: readonly Step[], options: Partial<GateOptions>, check: (walk: Walk, step: Step) => void): Walk {
  const state: Walk = {
    house: new House({ ...options, chooser }),
    guests: [],
    committed: new Set(),
    cap: options.capacity ?? 2,
  };
  const chosen = (wanted: 'running' | 'waiting', pick: number) => {
    const among = state.guests.filter(({ ticket }) => ticket?.state === wanted);
    return among[pick % Math.max(1, among.length)];
  };
  for (const step of all) {
    if (step.kind === 'arrive') {
      state.guests.push(state.house.arrive(`${state.guests.length}`, CLASS_NAMES[step.classIndex]));
    } else if (step.kind === 'pass') {
      state.house.pass(step.ms);
    } else if (step.kind === 'resize') {
      state.house.gate.resize(step.capacity);
      state.cap = step.capacity;
    } else {
      const guest = chosen(step.kind === 'leave' ? 'waiting' : 'running', step.pick);
      if (step.kind === 'commit') {
        guest?.ticket?.committed();
        if (guest) state.committed.add(guest);
      } else {
        guest?.ticket?.release();
      }
    }
    check(state, step);
  }
  return state;
}

const small = classes({
  system: { reservedFloor: 1, queueSize: 2, queueTimeoutMs: 10_000 },
  interactive: { reservedPerSlot: 0.25, queueSize: 3 },
  default: { queueSize: 3, queueTimeoutMs: 40_000 },
  bulk: { queueSize: 4, starvationMs: 20_000 },
});

test('whatever happens: the cap and the queue sizes hold, and no ticket is lost', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 8 }), (all, capacity) => {
      let most = capacity;
      const { house, guests } = walk(all, { classes: small, capacity }, ({ house: now, guests: known, cap }) => {
        const running = now.running().reduce((sum, one) => sum + one, 0);
        // A cap that shrinks lets those finish that run.
        most = Math.max(cap, Math.min(most, running));
        assert.ok(running <= most, `${running} run with ${most} places`);
        assert.equal(running, known.filter(({ ticket }) => ticket?.state === 'running').length);
        for (const [i, waiting] of now.waiting().entries()) assert.ok(waiting <= (small[i]?.queueSize ?? 0));
        assert.equal(now.gate.waiting, known.filter(({ ticket }) => ticket?.state === 'waiting').length);
      });
      for (const { ticket } of guests) ticket?.release();
      assert.deepEqual(
        [house.running(), house.waiting()],
        [
          [0, 0, 0, 0],
          [0, 0, 0, 0],
        ],
      );
    }),
    { numRuns: 300 },
  );
});

test('whatever happens: every call is told once how its wait ended, and preempted only before its first byte', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const { guests, house, committed } = walk(
        all,
        { classes: small, capacity: 4 },
        ({ committed: begun, guests: known }) => {
          for (const guest of begun) assert.ok(!guest.told.includes('preempted'), `${guest.name} had begun its answer`);
          for (const guest of known) assert.ok(guest.told.length <= 2, guest.told.join());
        },
      );
      for (const { ticket } of guests) if (ticket?.state === 'running') ticket.release();
      house.pass(1_000_000);
      for (const { ticket } of guests) if (ticket?.state === 'running') ticket.release();
      for (const guest of guests) {
        const [first, second, ...more] = guest.told;
        if (guest.record.admission === 'left') assert.deepEqual(guest.told, []);
        else
          assert.ok(first === 'in' || first === 'queue_full' || first === 'queue_timeout', `${guest.name}: ${first}`);
        assert.ok(second === undefined || (first === 'in' && second === 'preempted' && !committed.has(guest)));
        assert.deepEqual(more, []);
      }
    }),
    { numRuns: 300 },
  );
});

test('whatever happens: within a class calls come in in the order in which they came', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const { house, guests } = walk(all, { classes: small, capacity: 3 }, () => undefined);
      const entered = house.events.filter((event) => event.endsWith(' in')).map((event) => Number(event.split(' ')[0]));
      for (let i = 0; i < 4; i += 1) {
        const ofClass = entered.filter((name) => guests[name]?.classIndex === i);
        assert.deepEqual(
          ofClass,
          ofClass.toSorted((a, b) => a - b),
        );
      }
    }),
    { numRuns: 300 },
  );
});

test('whatever happens: nobody waits while a place is free for it, and a class below its reservation never waits for another', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 8 }), (all, capacity) => {
      walk(all, { classes: small, capacity }, ({ house, cap }) => {
        const running = house.running();
        const free = cap - running.reduce((sum, one) => sum + one, 0);
        const reserved = reservations(small, cap);
        const unmet = reserved.map((one, i) => Math.max(0, one - (running[i] ?? 0)));
        const total = unmet.reduce((sum, one) => sum + one, 0);
        for (const [i, waiting] of house.waiting().entries()) {
          if (waiting === 0) continue;
          assert.ok(free <= 0 || ((unmet[i] ?? 0) === 0 && free <= total), `class ${i} waits with ${free} places free`);
        }
      });
    }),
    { numRuns: 300 },
  );
});
