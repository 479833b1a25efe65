/** Event streams read the plain way, by the letter of the standard: what the framers are held against. */

export interface StreamEvent {
  readonly event: string;
  readonly data: string;
}

/**
 * The events of a whole stream. Source: WHATWG HTML, "Server-sent events". An unfinished event at the end counts here,
 * where the standard drops it: the gateway has to see it.
 */
export function eventsOf(text: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  let event = '';
  let data: string[] = [];
  const dispatch = () => {
    if (data.length > 0) events.push({ event, data: data.join('\n') });
    event = '';
    data = [];
  };
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    if (line === '') {
      dispatch();
      continue;
    }
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') event = value;
    if (field === 'data') data.push(value);
  }
  dispatch();
  return events;
}

/** The offsets at which a frame ends. A blank line of CR LF ends it after the CR already; both places count. */
export function frameEndsOf(bytes: Buffer): ReadonlySet<number> {
  const ends = new Set<number>();
  let lineStart = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    if (bytes[at] !== 0x0a && bytes[at] !== 0x0d) continue;
    const isPair = bytes[at] === 0x0d && bytes[at + 1] === 0x0a;
    if (at === lineStart) ends.add(at + 1);
    if (isPair) at += 1;
    if (ends.has(at)) ends.add(at + 1);
    lineStart = at + 1;
  }
  return ends;
}

/** Streams as workers, proxies and the test suites of browsers write them. */
export const streams: Readonly<Record<string, string>> = {
  LF: 'data: {"a":1}\n\ndata: {"b":2}\n\ndata: [DONE]\n\n',
  CRLF: 'event: one\r\ndata: 1\r\n\r\nevent: two\r\ndata: 2\r\n\r\n',
  CR: 'event: one\rdata: 1\r\revent: two\rdata: 2\r\r',
  'mixed line ends': 'data: 1\r\n\ndata: 2\n\r\ndata: 3\r\r\ndata: 4\r\rdata: 5\n\n',
  'comments and retries': ': hello\n\n:\n\nretry: 10\n\ndata: 1\n\n: ping\n\nid: 7\nretry: soon\ndata: 2\n\n',
  'a byte order mark before data': '\uFEFFdata: 1\n\ndata: 2\n\n',
  'a byte order mark before an event': '\uFEFFevent: one\ndata: 1\n\nevent: two\ndata: 2\n\n',
  'data of many lines': 'data: a\ndata\ndata:\ndata:  b\ndata:c\n\ndata: d\n\n',
  'no blank line at the end': 'data: 1\n\ndata: 2\n',
  'no line end at the end': 'event: one\ndata: 1\n\nevent: two\ndata: 2',
  'blank lines everywhere': '\n\n\r\n\rdata: 1\n\n\n\n\r\n\ndata: 2\n\n\n',
  'only blank lines': '\n\r\n\r\r\n\n',
  nothing: '',
  'characters of many bytes and controls': 'data: é€😀\u2028\u0085\u0000\n\nevent: 😀\ndata: ￿\n\n',
  'unknown fields and colons': 'foo: bar\ndata: a:b: c\nevent:x\n dataa: no\ndata : no\n\ndata:data: 2\n\n',
  'an event without data, then data': 'event: lost\n\ndata: 1\n\n',
  'a long frame among short ones': `data: 1\n\ndata: ${'x'.repeat(2_000)}\n\ndata: 2\n\n`,
};
