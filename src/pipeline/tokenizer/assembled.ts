/** The parts of a tokenizer before it is one. */

import type { AddedToken } from './added-tokens.ts';
import type { Decoding } from './decoding.ts';
import type { EncodeElsewhere, TextEncoding } from './engine.ts';
import type { TokenTable } from './token-table.ts';

export interface Assembled {
  readonly table: TokenTable;
  readonly added: readonly AddedToken[];
  readonly decoding: Decoding;
  /** Or why there is none. */
  readonly encoding: TextEncoding | string;
  readonly elsewhere: EncodeElsewhere | undefined;
}
