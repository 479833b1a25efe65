/**
 * Bodies that cannot pass though client and worker speak one API, because they hold what the gateway put there when the
 * conversation was with another model: carried signatures, thoughts of its own making, ids of another provider's tool
 * calls. The worker would refuse them; they go through the hub, which knows what to do with each.
 * Cost   one native search for each mark; chat to an engine: nothing
 */
import type { ProtocolName } from '../../domain/call.ts';
import type { IdRule } from './tool-ids.ts';

/** Begins the ids of reasoning items that the gateway makes: no API ever made such an item, and none can find it. */
export const OWN_REASONING_ID = 'rs_smg-';

const CARRIED = '"smg.';
const MARKS: Partial<Readonly<Record<ProtocolName, readonly string[]>>> = {
  'anthropic-messages': [CARRIED],
  'anthropic-count-tokens': [CARRIED],
  'openai-responses': [CARRIED, '"smg-', `"${OWN_REASONING_ID}`],
  gemini: [CARRIED],
  'gemini-count-tokens': [CARRIED],
};

/**
 * Looked for first: a search is as fast as its first byte is rare. These take 0.01 to 0.14 ns a byte, the marks, which
 * begin with a quote, up to 1.1.
 */
const SIGNS = ['mg.', 'mg-'];

/** May say so of a text that only looks like one. */
export function holdsForeignMarks(body: Buffer, protocol: ProtocolName): boolean {
  const marks = MARKS[protocol];
  if (!marks || !SIGNS.some((sign) => body.includes(sign))) return false;
  return marks.some((mark) => body.includes(mark));
}

/** A rule as wide as OpenAI's own takes every id that is found in the wild. */
const WIDE_LENGTH = 40;
const CALL_ID = /"tool_call_id"\s*:\s*"((?:[^"\\]|\\.)*)"/g;
/** Where Gemini's signatures stand in chat. Source: Gemini API, OpenAI compatibility. */
const GOOGLE_MARK = '"extra_content"';

/** Chat to a known provider: are there signatures of Gemini's, or results whose ids the target would refuse? */
export function holdsForeignCalls(body: Buffer, { maxLength, pattern }: IdRule): boolean {
  if (body.includes(GOOGLE_MARK)) return true;
  if (maxLength >= WIDE_LENGTH || !body.includes('"tool_call_id"')) return false;
  for (const [, id = ''] of body.toString('utf8').matchAll(CALL_ID)) {
    if (id.length > maxLength || !pattern.test(id)) return true;
  }
  return false;
}
