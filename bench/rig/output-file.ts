/**
 * The file a proxy's output is redirected to: it pays for real log writes, and a failed start can be quoted.
 * Shapes  descriptor (for spawn) · trim() · tail() → last lines
 * Units   bytes; trimmed between measurements, so that hours of request logs do not fill the disk
 */
import { ftruncateSync, fstatSync, openSync, readFileSync } from 'node:fs';

const MAX_BYTES = 16 * 1024 * 1024;

export class OutputFile {
  readonly descriptor: number;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    // Append mode: after a truncation the writer goes on at the new end instead of leaving a hole.
    this.descriptor = openSync(path, 'a');
  }

  trim(): void {
    if (fstatSync(this.descriptor).size > MAX_BYTES) ftruncateSync(this.descriptor, 0);
  }

  tail(): string {
    return readFileSync(this.#path, 'utf8').split('\n').slice(-15).join('\n');
  }
}
