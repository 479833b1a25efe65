/**
 * Sends what an endpoint worded: whole, or frame by frame with one write per turn of the event loop, so that every frame
 * can arrive alone and a caller that leaves is seen at once.
 */

import { openEvents, sendJson } from '../http/answers.ts';
import type { EventSink } from '../http/event-stream.ts';
import type { Exchange } from '../http/exchange.ts';
import type { ProviderCall, Worded } from './dialect.ts';

/** Answers with the stream or the whole, as asked. */
export function sendWorded(call: ProviderCall, isStream: boolean, worded: Worded): void {
  if (!isStream) return sendJson(call.exchange, worded.whole);
  const sink = openEvents(call.exchange, worded.errorFrames, worded.contentType);
  play(call.exchange, sink, worded.frames);
}

/** A text in small pieces, no character cut apart. */
export function piecesOf(text: string, characters = 6): readonly string[] {
  const all = Array.from(text);
  return Array.from({ length: Math.ceil(all.length / characters) }, (_unused, index) =>
    all.slice(index * characters, (index + 1) * characters).join(''),
  );
}

function play(exchange: Exchange, sink: EventSink, frames: readonly string[], at = 0): void {
  if (!exchange.isOpen) return;
  const frame = frames[at];
  if (frame === undefined) return sink.end();
  sink.event(frame);
  setImmediate(() => play(exchange, sink, frames, at + 1));
}
