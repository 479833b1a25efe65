/**
 * Clients that ask for a stream and stop reading after its head, before a worker that pushes 1 MB to each of them:
 * a proxy must hold the worker back instead of storing what nobody reads, and lose nothing when they read on.
 * Shapes  runSlowClients(options, bench) → Outcome; one row per proxy: bare, gateway
 * Units   bytes; "in the proxy" is what the worker got rid of, less what the kernel holds and the clients have read
 * Errors  a stream that ends without all of its bytes is a failure; so is one whose worker was not held back, unless
 *         the kernel's buffers are as large as they like to be (see rig/small-buffers.ts)
 */
import { readFileSync } from 'node:fs';
import type { Bench, Outcome } from '../bench.ts';
import { chooseWords, PROXIES } from '../cases.ts';
import type { Options } from '../options.ts';
import { megabytes, number } from '../report/table.ts';
import { type KernelQueues, kernelQueues } from '../rig/kernel-queues.ts';
import { memory } from '../rig/proc.ts';
import { areBuffersSmall } from '../rig/small-buffers.ts';
import { isMissing, startTarget, type TargetName } from '../rig/targets.ts';
import type { SlowJob, SlowResult, Standstill } from './slow-clients-peer.ts';

const GOAL_KB = 128;
const SETTLE_MS = 1_000;
const STANDSTILL_LIMIT_MS = 60_000;
const READ_ON_LIMIT_MS = 120_000;

interface Measured {
  readonly name: TargetName;
  readonly streams: number;
  readonly idleBytes: number;
  readonly stalledBytes: number;
  readonly standstill: Standstill;
  readonly queues: KernelQueues;
  readonly result: SlowResult;
}

export async function runSlowClients(options: Options, bench: Bench): Promise<Outcome> {
  const measured: Measured[] = [];
  const missing: string[] = [];
  for (const name of chooseWords(options.only, PROXIES)) {
    const one = await measure(name, options.streams, bench);
    if (typeof one === 'string') missing.push(one);
    else measured.push(one);
  }
  const gateway = measured.find((one) => one.name === 'gateway');
  return {
    section: {
      title: `Slow clients: ${options.streams} that stop reading, 1 MB for each`,
      provenance: bench.provenance,
      table: { columns: COLUMNS, rows: measured.map(rowOf) },
      goals: [
        {
          name: 'gateway, RSS growth per stream at the standstill',
          value: gateway && growthKb(gateway),
          limit: GOAL_KB,
          direction: 'at most',
          unit: ' KB',
        },
      ],
      notes: [kernelNote()],
      failures: [...missing, ...measured.flatMap(failuresOf)],
    },
    raw: measured,
  };
}

const COLUMNS = ['target', 'pushed KB/stream', 'in kernel to proxy', 'in kernel to client', 'read by client'];
COLUMNS.push('in the proxy KB/stream', 'RSS idle MB', 'RSS stalled MB', 'RSS KB/stream');
COLUMNS.push('workers held back', 'sockets unread', 'all bytes arrived');

function rowOf(one: Measured): string[] {
  const { standstill, queues, streams } = one;
  const perStream = (bytes: number) => number(bytes / 1024 / streams);
  return [
    one.name,
    perStream(standstill.acceptedBytes),
    perStream(queues.workerBytes),
    perStream(queues.clientBytes),
    perStream(standstill.readBytes),
    perStream(standstill.acceptedBytes - queues.workerBytes - queues.clientBytes - standstill.readBytes),
    megabytes(one.idleBytes),
    megabytes(one.stalledBytes),
    number(growthKb(one)),
    `${standstill.heldBack}/${streams}`,
    `${queues.unreadByProxy}/${streams}`,
    `${one.result.complete}/${streams}`,
  ];
}

function growthKb(one: Measured): number {
  return (one.stalledBytes - one.idleBytes) / 1024 / one.streams;
}

function failuresOf({ name, streams, standstill, queues, result }: Measured): string[] {
  const failures: string[] = [];
  if (standstill.heads < streams) failures.push(`${standstill.heads} of ${streams} clients had a head`);
  const mustHoldBack = areBuffersSmall();
  if (mustHoldBack && standstill.heldBack < streams)
    failures.push(`the worker was held back in ${standstill.heldBack} streams`);
  if (mustHoldBack && queues.unreadByProxy < streams)
    failures.push(`${queues.unreadByProxy} of the worker's sockets are paused`);
  if (result.broken > 0) failures.push(`${result.broken} broken streams: ${result.reasons.join('; ')}`);
  return failures.map((failure) => `${name}: ${failure}`);
}

async function measure(name: TargetName, streams: number, bench: Bench): Promise<Measured | string> {
  const peer = await bench.startEngine([], 'bench/scenarios/slow-clients-peer.ts');
  const target = await startTarget(name, bench.placeFor(peer.ports));
  if (isMissing(target)) return target.reason;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const idleBytes = memory(target.pids).rssBytes;
  const [workerPort = 0] = peer.ports;
  const [port = 0] = target.ports;
  const opened: SlowJob = { open: { port, streams } };
  const { standstill } = await peer.process.ask<{ standstill: Standstill }>(opened, STANDSTILL_LIMIT_MS);
  const stalledBytes = memory(target.pids).rssBytes;
  const queues = kernelQueues(workerPort, port);
  bench.progress(`${name}: ${megabytes(stalledBytes)} MB, the worker is held back in ${standstill.heldBack} streams`);
  const readOn: SlowJob = { readOn: true };
  const { result } = await peer.process.ask<{ result: SlowResult }>(readOn, READ_ON_LIMIT_MS);
  for (const started of [target.process, peer.process]) await started?.stop();
  return { name, streams, idleBytes, stalledBytes, standstill, queues, result };
}

function kernelNote(): string {
  const limits = ['tcp_wmem', 'tcp_rmem'].map((name) => `${name} ${kernelLimits(name)}`).join(', ');
  const place = areBuffersSmall() ? 'set in a network namespace of its own, with an MTU of 1500' : 'too large to tell';
  return `the kernel's buffers are ${place} (${limits}): Node cannot set them for a TCP socket`;
}

function kernelLimits(name: string): string {
  try {
    return readFileSync(`/proc/sys/net/ipv4/${name}`, 'latin1').trim().split(/\s+/).join('/');
  } catch {
    return 'unknown';
  }
}
