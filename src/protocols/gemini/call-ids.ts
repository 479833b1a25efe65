/**
 * Ids of calls that have none in Gemini's own conversations. They are counted from the start of the conversation, so
 * that every later turn, which begins with all that was, has the same ones; and they are known again, so that they are
 * not sent to Gemini, which never gave them.
 */
const PREFIX = 'call_unnamed_';

/** The n-th call of the conversation, from 0. */
export function unnamedCallId(index: number): string {
  return `${PREFIX}${index}`;
}

/** Was it made here? */
export function isUnnamed(callId: string): boolean {
  return /^call_unnamed_\d+$/.test(callId);
}
