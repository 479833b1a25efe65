/**
 * Signed thoughts of answers whose client has no place for them, kept until the client sends the tool calls back that
 * they led to: providers refuse, or do worse on, a conversation whose thoughts have gone.
 *
 * A client that speaks an API without signatures gets a tool call and sends it back with its result; the call's id is
 * all that both turns have in common, so it is the key, together with the scope of the caller: nobody is given the
 * thoughts that another's call has made.
 * Bound  `maxEntries` and `maxBytes`, the least recently used go first; nothing is written anywhere
 * Cost   O(1) for each tool call of a translated answer or request; none for calls whose bytes pass
 * Owner  the translator of the dispatcher
 */
import type { ReasoningPart, Signature } from '../../domain/generation.ts';

/** What stood before one tool call of an assistant's turn, back to the call before it. */
export interface KeptThoughts {
  /** Thoughts before the text that stood before the call; empty when there was none. */
  readonly leading: readonly ReasoningPart[];
  /** Thoughts right before the call. */
  readonly trailing: readonly ReasoningPart[];
  /** The call's own. */
  readonly signature: Signature | undefined;
}

export interface VaultLimits {
  readonly maxEntries: number;
  /** Of text, as UTF-16. */
  readonly maxBytes: number;
}

export const VAULT_LIMITS: VaultLimits = { maxEntries: 20_000, maxBytes: 64 * 1024 * 1024 };

interface Entry {
  readonly thoughts: KeptThoughts;
  readonly bytes: number;
}

/** What an entry costs beside its texts. */
const OVERHEAD_BYTES = 256;

export class ReasoningVault {
  readonly #limits: VaultLimits;
  /** A map keeps the order in which entries were set: the first is the one that was not used for longest. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(limits: VaultLimits = VAULT_LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `scope` stands for the caller. An id that is known already is replaced. */
  keep(scope: string, callId: string, thoughts: KeptThoughts): void {
    const key = ownText(keyOf(scope, callId));
    const bytes = sizeOf(key, thoughts);
    this.#drop(key);
    if (bytes > this.#limits.maxBytes) return;
    this.#entries.set(key, { thoughts: ownThoughts(thoughts), bytes });
    this.#bytes += bytes;
    while (this.#entries.size > this.#limits.maxEntries || this.#bytes > this.#limits.maxBytes) this.#dropOldest();
  }

  find(scope: string, callId: string): KeptThoughts | undefined {
    const key = keyOf(scope, callId);
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.thoughts;
  }

  #dropOldest(): void {
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#drop(oldest.value);
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}

/** The length of the scope goes first, so that no id can look like the end of a scope. */
function keyOf(scope: string, callId: string): string {
  return `${scope.length}:${scope}:${callId}`;
}

function sizeOf(key: string, { leading, trailing, signature }: KeptThoughts): number {
  const thoughts = [...leading, ...trailing];
  const characters = thoughts.reduce(
    (sum, { text, signature: own, itemId }) => sum + text.length + (own?.value.length ?? 0) + (itemId?.length ?? 0),
    key.length + (signature?.value.length ?? 0),
  );
  return OVERHEAD_BYTES * (1 + thoughts.length) + 2 * characters;
}

/** A copy: what was read out of an answer may be a view that keeps all of the answer alive. */
function ownText(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

function ownSignature(signature: Signature | undefined): Signature | undefined {
  return signature && { origin: signature.origin, value: ownText(signature.value) };
}

function ownThoughts({ leading, trailing, signature }: KeptThoughts): KeptThoughts {
  const own = (part: ReasoningPart): ReasoningPart => ({
    ...part,
    text: ownText(part.text),
    signature: ownSignature(part.signature),
    itemId: part.itemId === undefined ? undefined : ownText(part.itemId),
  });
  return { leading: leading.map(own), trailing: trailing.map(own), signature: ownSignature(signature) };
}
