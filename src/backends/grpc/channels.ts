/** The one place that opens channels to gRPC workers: one by URL, from the first question for it until it is forgotten. */
import type { Clock } from '../../base/clock.ts';
import { Http2Channel } from './channel/channel.ts';
import type { ChannelCounts } from './channel/channel.ts';
import { defaultChannelSettings } from './channel/settings.ts';
import type { ChannelSettings } from './channel/settings.ts';
import { parseTarget } from './channel/target.ts';
import type { Channel, ChannelPool } from './rpc.ts';

export class GrpcChannels implements ChannelPool {
  readonly #settings: ChannelSettings;
  readonly #clock: Clock;
  readonly #byUrl = new Map<string, Http2Channel>();
  /** Forgotten, with calls that are not over. */
  readonly #retired = new Set<Http2Channel>();
  #isClosed = false;

  constructor(clock: Clock, settings: Partial<ChannelSettings> = {}) {
    this.#clock = clock;
    this.#settings = { ...defaultChannelSettings, ...settings };
  }

  /** Throws a TypeError when the URL is none of a gRPC worker. After `close` the channel refuses every call. */
  channelTo(url: string): Channel {
    const known = this.#byUrl.get(url);
    if (known !== undefined) return known;
    const channel = new Http2Channel(parseTarget(url), this.#settings, this.#clock);
    if (this.#isClosed) channel.close();
    else this.#byUrl.set(url, channel);
    return channel;
  }

  forget(url: string): void {
    const channel = this.#byUrl.get(url);
    if (channel === undefined) return;
    this.#byUrl.delete(url);
    for (const old of this.#retired) if (old.counts.connections === 0) this.#retired.delete(old);
    this.#retired.add(channel);
    channel.retire();
  }

  close(): void {
    this.#isClosed = true;
    for (const channel of [...this.#byUrl.values(), ...this.#retired]) channel.close();
    this.#byUrl.clear();
    this.#retired.clear();
  }

  /** Of all channels, the forgotten ones included. */
  get counts(): ChannelCounts {
    const sum = { connections: 0, streams: 0, waiting: 0 };
    for (const { counts } of [...this.#byUrl.values(), ...this.#retired]) {
      sum.connections += counts.connections;
      sum.streams += counts.streams;
      sum.waiting += counts.waiting;
    }
    return sum;
  }
}
