/**
 * `GET /events`: the changes of the fleet as they happen, as server-sent events. Every connection begins with the whole
 * fleet, so that a client that lost its connection lost nothing: `Last-Event-ID` has no meaning here.
 */
import type { FleetEvent, ReplyWriter } from '../../domain/ports.ts';
import type { Timer } from '../../base/clock.ts';
import type { ServerDeps } from '../deps.ts';
import { describeWorker } from '../describe-worker.ts';
import { EventChannel } from '../event-channel.ts';
import type { StreamAnswer } from '../json-answer.ts';
import { showWorkers } from './workers.ts';

/** Proxies cut connections that are silent for longer; half a minute is a common limit. */
const HEARTBEAT_MS = 15_000;

export function streamEvents(deps: ServerDeps): StreamAnswer {
  return {
    status: 200,
    contentType: 'text/event-stream; charset=utf-8',
    headers: ['cache-control', 'no-store'],
    open: (writer, signal) => stream(deps, writer, signal),
  };
}

function stream(deps: ServerDeps, writer: ReplyWriter, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const channel = new EventChannel(writer);
    let timer: Timer;
    const end = () => {
      leave();
      deps.clock.clearTimer(timer);
      writer.end();
      resolve();
    };
    const beat = () => {
      channel.beat();
      timer = deps.clock.setTimer(beat, HEARTBEAT_MS);
    };
    const leave = deps.fleet.onEvent((event) => {
      channel.send(event.type, frameOf(event));
      if (!channel.isOpen) end();
    });
    timer = deps.clock.setTimer(beat, HEARTBEAT_MS);
    channel.send('snapshot', showWorkers(deps));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

function frameOf({ type, worker, from }: FleetEvent): Readonly<Record<string, unknown>> {
  const shown = describeWorker(worker);
  return type === 'worker_changed' ? { from, to: worker.state, worker: shown } : { worker: shown };
}
