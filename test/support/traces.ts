/** Looking for keys where none may be: every form of one, and everything that an answer shows. */
import { createHash } from 'node:crypto';

/** A key in every form in which it might get out. */
export function tracesOf(key: string): string[] {
  const digest = createHash('sha256').update(key);
  const hex = digest.copy().digest('hex');
  return [
    key,
    key.slice(-8),
    Buffer.from(key).toString('base64').replace(/=+$/, ''),
    Buffer.from(key).toString('base64url'),
    Buffer.from(key).toString('hex'),
    encodeURIComponent(key),
    hex,
    hex.slice(0, 16),
    digest.copy().digest('base64').replace(/=+$/, ''),
  ];
}

/** Answers as their reader sees them, headers included; streams without end are left after their head. */
export async function told(reply: Promise<Response>): Promise<string> {
  const { status, headers, body } = await reply;
  const head = `${status} ${JSON.stringify([...headers])}`;
  if ((headers.get('content-type') ?? '').startsWith('text/event-stream')) {
    await body?.cancel();
    return head;
  }
  return head + (await new Response(body).text());
}
