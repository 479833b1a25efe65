/** An encoding thread of letters that also does what threads should not: texts beginning with `!` say what. */
import { parentPort } from 'node:worker_threads';
import { serveEncoding } from '../../src/tokenizers/encode-thread.ts';
import { LetterTokenizer } from './letter-tokenizer.ts';

class Troublemaker extends LetterTokenizer {
  override encode(text: string, addSpecialTokens: boolean): Uint32Array {
    if (text.startsWith('!exit')) process.exit(1);
    if (text.startsWith('!throw')) throw new Error('refused');
    if (text.startsWith('!hang')) for (;;);
    return super.encode(text, addSpecialTokens);
  }
}

if (parentPort)
  serveEncoding(parentPort, (files) => {
    if (files.get('tokenizer.json')?.includes('letters') !== true) throw new Error('no letters');
    return new Troublemaker();
  });
