/** What a channel may be told, and what holds when it is told nothing. */

const MEBIBYTE = 1024 * 1024;

export interface TlsSettings {
  /** PEM certificates that are trusted instead of those that come with Node. */
  readonly ca?: string | Buffer;
  /** PEM certificate and key that this side shows, for workers that ask for one. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** The name that the certificate must be for; the host of the URL otherwise. */
  readonly serverName?: string;
}

export interface ChannelSettings {
  /** `user-agent` of every call, e.g. `smg/1.2.3`. */
  readonly userAgent: string;
  /** From the start of a connection to the peer's SETTINGS, TLS included. */
  readonly connectTimeoutMs: number;
  /** A PING goes out after each such span, also while no call runs; 0: never. */
  readonly keepAliveIntervalMs: number;
  /** A PING that has no answer in this time ends the connection. */
  readonly keepAliveTimeoutMs: number;
  /** What a peer may send ahead of a reader: one stream's share, and all streams' together. */
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  /** Largest message that is taken. */
  readonly maxMessageBytes: number;
  /** Connections to one worker; more than one are opened only when the peer limits the streams of each. */
  readonly maxConnections: number;
  /** Calls to one worker that wait for a connection or for a free stream; more are refused as unprocessed. */
  readonly maxWaitingCalls: number;
  /** How long after a failed connect no other is tried: doubled with each failure in a row, up to the second. */
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  /** Streams that one connection carries in its life: HTTP/2 has 2^30 of them for a client. */
  readonly maxStreamsPerConnection: number;
  readonly tls: TlsSettings;
}

/** Keep-alive and windows: as the settings of the original gateway's channels. */
export const defaultChannelSettings: ChannelSettings = {
  userAgent: 'smg',
  connectTimeoutMs: 5_000,
  keepAliveIntervalMs: 30_000,
  keepAliveTimeoutMs: 10_000,
  streamWindowBytes: 16 * MEBIBYTE,
  connectionWindowBytes: 32 * MEBIBYTE,
  maxMessageBytes: 64 * MEBIBYTE,
  maxConnections: 8,
  maxWaitingCalls: 16_384,
  minBackoffMs: 100,
  maxBackoffMs: 3_000,
  maxStreamsPerConnection: 2 ** 30 - 1_024,
  tls: {},
};
