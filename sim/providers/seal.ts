/**
 * Opaque values a provider issues and later wants back unchanged: thinking signatures, redacted thinking, encrypted
 * reasoning, thought signatures.
 * A seal proves itself: a random-looking salt, the digest of what was sealed and a tag over both, so that nothing has
 * to be remembered and no history is too long. Not for secrets: the key is the provider's name unless a test sets one.
 */

import { createHash, createHmac } from 'node:crypto';

const DIGEST_BYTES = 32;
const SALT_BYTES = 12;

/** Issues and recognises the seals of one provider. */
export class Sealer {
  readonly #secret: string;
  #issued = 0;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** A seal over `content`, base64; two seals of the same content differ. */
  seal(content: string): string {
    this.#issued++;
    const salt = sha256(`${this.#secret} ${this.#issued}`).subarray(0, SALT_BYTES);
    const body = Buffer.concat([salt, sha256(content)]);
    return Buffer.concat([body, this.#tag(body)]).toString('base64');
  }

  /** Was this seal issued here? Any changed byte, also of its base64 form, says no. */
  isIssued(seal: string): boolean {
    const bytes = Buffer.from(seal, 'base64');
    if (bytes.length !== SALT_BYTES + 2 * DIGEST_BYTES || bytes.toString('base64') !== seal) return false;
    const body = bytes.subarray(0, SALT_BYTES + DIGEST_BYTES);
    return this.#tag(body).equals(bytes.subarray(SALT_BYTES + DIGEST_BYTES));
  }

  /** Was this seal issued here for exactly that content? */
  isFor(seal: string, content: string): boolean {
    if (!this.isIssued(seal)) return false;
    const digest = Buffer.from(seal, 'base64').subarray(SALT_BYTES, SALT_BYTES + DIGEST_BYTES);
    return digest.equals(sha256(content));
  }

  #tag(body: Buffer): Buffer {
    return createHmac('sha256', this.#secret).update(body).digest();
  }
}

function sha256(content: string): Buffer {
  return createHash('sha256').update(content).digest();
}
