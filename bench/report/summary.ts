/**
 * Rounds → one row per case and target: the best (or the median) of each figure, and what the proxy adds to direct.
 * Shapes  summarise(rounds, pick) → Row[] · matrixTable(rows) → Table · matrixGoals(rows) → Goal[]
 * Units   ms for latencies, µs for CPU per request, bytes for memory, shares (0..1) for core use
 * Why     best of N: on a shared machine noise only ever makes things slower; peaks of memory take the worst round
 */
import type { Case } from '../cases.ts';
import type { TargetName } from '../rig/targets.ts';
import type { Goal } from './section.ts';
import { megabytes, number, percent, type Table } from './table.ts';

/** Every figure of one round; rates, times, CPU, core use. */
export interface Figures {
  readonly requestsPerSecond: number;
  readonly eventsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly firstByteP50: number;
  readonly cpuUsPerRequest: number;
  /** The part of it spent outside the kernel. */
  readonly userUsPerRequest: number;
  readonly proxyBusy: number;
  readonly loadBusy: number;
  /** Share of the machine that other programs and the host took. */
  readonly othersBusy: number;
  readonly idleBytes: number;
  readonly peakBytes: number;
}

export interface Round {
  readonly case: Case;
  readonly target: TargetName;
  readonly round: number;
  readonly figures: Figures;
  readonly failures: number;
  readonly failureSamples: readonly string[];
}

export interface Row {
  readonly case: Case;
  readonly target: TargetName;
  readonly figures: Figures;
  /** Against direct in the same case; NaN without a direct row. */
  readonly addedP50: number;
  readonly addedP99: number;
  readonly addedFirstByte: number;
  readonly failures: number;
}

export type Pick = 'best' | 'median';

/** More than this share of the machine in other hands makes a figure doubtful. */
export const MAX_OTHERS = 0.1;

const HIGHER_IS_BETTER: readonly (keyof Figures)[] = [
  'requestsPerSecond',
  'eventsPerSecond',
  'proxyBusy',
  'loadBusy',
  'peakBytes',
];

export function summarise(rounds: readonly Round[], pick: Pick): Row[] {
  const groups = Map.groupBy(rounds, (round) => `${round.case.name}/${round.target}`);
  const merged = [...groups.values()].flatMap((group) =>
    group[0] === undefined ? [] : [merge(group[0], group, pick)],
  );
  return merged.map((row) => {
    const direct = merged.find((other) => other.case.name === row.case.name && other.target === 'direct')?.figures;
    return {
      ...row,
      addedP50: row.figures.p50 - (direct?.p50 ?? Number.NaN),
      addedP99: row.figures.p99 - (direct?.p99 ?? Number.NaN),
      addedFirstByte: row.figures.firstByteP50 - (direct?.firstByteP50 ?? Number.NaN),
    };
  });
}

function merge(
  first: Round,
  group: readonly Round[],
  pick: Pick,
): Omit<Row, 'addedP50' | 'addedP99' | 'addedFirstByte'> {
  // A round with wrong answers measured something else: it is counted as failed and gives no figures.
  const clean = group.filter((round) => round.failures === 0);
  const choose = (key: keyof Figures): number => {
    const values = clean.map((round) => round.figures[key]).sort((a, b) => a - b);
    if (pick === 'median' && key !== 'peakBytes') return values[Math.floor(values.length / 2)] ?? Number.NaN;
    return (HIGHER_IS_BETTER.includes(key) ? values.at(-1) : values[0]) ?? Number.NaN;
  };
  return {
    case: first.case,
    target: first.target,
    figures: {
      requestsPerSecond: choose('requestsPerSecond'),
      eventsPerSecond: choose('eventsPerSecond'),
      p50: choose('p50'),
      p99: choose('p99'),
      firstByteP50: choose('firstByteP50'),
      cpuUsPerRequest: choose('cpuUsPerRequest'),
      userUsPerRequest: choose('userUsPerRequest'),
      proxyBusy: choose('proxyBusy'),
      loadBusy: choose('loadBusy'),
      othersBusy: choose('othersBusy'),
      idleBytes: choose('idleBytes'),
      peakBytes: choose('peakBytes'),
    },
    failures: group.reduce((sum, round) => sum + round.failures, 0),
  };
}

export function matrixTable(rows: readonly Row[]): Table {
  const columns = ['case', 'target', 'req/s', 'events/s', 'p50 ms', 'p99 ms', '+p50 ms', '+p99 ms', '+TTFT ms'];
  columns.push('CPU µs/req (user)', 'proxy core', 'load core', 'RSS idle MB', 'RSS peak MB', 'failures');
  return { columns, rows: rows.map(matrixRow) };
}

function matrixRow(row: Row): string[] {
  const { figures } = row;
  const isDirect = row.target === 'direct';
  const unlessDirect = (text: string) => (isDirect ? '–' : text);
  return [
    row.case.name,
    row.target,
    number(figures.requestsPerSecond),
    row.case.stream ? number(figures.eventsPerSecond) : '–',
    number(figures.p50),
    number(figures.p99),
    unlessDirect(number(row.addedP50)),
    unlessDirect(number(row.addedP99)),
    row.case.stream ? unlessDirect(number(row.addedFirstByte)) : '–',
    unlessDirect(`${number(figures.cpuUsPerRequest)} (${number(figures.userUsPerRequest)})`),
    unlessDirect(percent(figures.proxyBusy)),
    percent(figures.loadBusy),
    unlessDirect(megabytes(figures.idleBytes)),
    unlessDirect(megabytes(figures.peakBytes)),
    String(row.failures),
  ];
}

/** The four promises of the gateway against the bare proxy. */
export function matrixGoals(rows: readonly Row[]): Goal[] {
  const ratio = (caseName: string, read: (row: Row) => number): number | undefined => {
    const find = (target: TargetName) => rows.find((row) => row.case.name === caseName && row.target === target);
    const gateway = find('gateway');
    const bare = find('bare');
    return gateway === undefined || bare === undefined ? undefined : read(gateway) / read(bare);
  };
  const goal = (name: string, value: number | undefined, limit: number): Goal => {
    const isRate = limit < 1;
    return { name, value, limit, direction: isRate ? 'at least' : 'at most', unit: isRate ? '' : '×' };
  };
  return [
    goal(
      'gateway / bare, requests/s, unary 1 KB × 32',
      ratio('unary 1 KB × 32', (row) => row.figures.requestsPerSecond),
      0.7,
    ),
    goal(
      'gateway / bare, events/s, stream 1 KB × 32',
      ratio('stream 1 KB × 32', (row) => row.figures.eventsPerSecond),
      0.8,
    ),
    goal(
      'gateway / bare, added p50, unary 1 KB × 1',
      ratio('unary 1 KB × 1', (row) => row.addedP50),
      1.4,
    ),
    goal(
      'gateway / bare, added TTFT, stream 1 KB × 1',
      ratio('stream 1 KB × 1', (row) => row.addedFirstByte),
      1.4,
    ),
  ];
}

/** Says where a rate is the client's limit and not the proxy's, and where somebody else was using the machine. */
export function matrixNotes(rows: readonly Row[]): string[] {
  const limited = rows.filter(
    (row) => row.target !== 'direct' && row.figures.loadBusy > 0.95 && row.figures.proxyBusy < 0.95,
  );
  const disturbed = rows.filter((row) => row.figures.othersBusy > MAX_OTHERS);
  return [
    ...limited.map(
      (row) =>
        `${row.case.name}, ${row.target}: the load core was full (${percent(row.figures.loadBusy)}) and the proxy core ` +
        `was not (${percent(row.figures.proxyBusy)}): compare CPU µs/req, not rates`,
    ),
    ...disturbed.map(
      (row) =>
        `${row.case.name}, ${row.target}: even in the quietest round other programs took ` +
        `${percent(row.figures.othersBusy)} of the machine: measure again`,
    ),
  ];
}
