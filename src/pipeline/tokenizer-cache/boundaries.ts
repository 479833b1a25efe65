/**
 * Where a text may be cut so that the tokens of the parts, joined, are those of the whole: behind a special token, because
 * it is cut out of a text before anything else happens to it. Not every special token is such a place. One that takes the
 * space behind it away, that is looked for in the normalised text only, or that another added token overlaps is none, and
 * a tokenizer that treats the beginning of a text unlike the rest has none at all. Pure.
 * Source  added_tokens, normalizer and pre_tokenizer of tokenizer.json, as the `tokenizers` library means them
 */

interface AddedToken {
  readonly content: string;
  readonly special: boolean;
  /** Found only where no word touches it. */
  readonly isWord: boolean;
  /** Takes no white space behind it, and is looked for before normalising. */
  readonly isEasy: boolean;
}

/**
 * Special tokens behind which a text may be cut; none where it may not be cut at all. `tokenizer` and `config` are a parsed
 * tokenizer.json and tokenizer_config.json, of which both may add tokens.
 */
export function boundaryTokens(tokenizer: JsonRecord, config: JsonRecord = {}): string[] {
  if (treatsBeginningApart(tokenizer['pre_tokenizer']) || tokenizer['truncation'] != null) return [];
  const byId = config['added_tokens_decoder'];
  const added = [...addedTokens(tokenizer['added_tokens']), ...addedTokens(isRecord(byId) ? Object.values(byId) : [])];
  // Whether one of these is found depends on what stands before it, and a cut takes that away.
  if (added.some(({ isWord }) => isWord)) return [];
  const hard = new Set(added.flatMap(({ isEasy, content }) => (isEasy ? [] : [content])));
  const specials = new Set(added.flatMap(({ special, content }) => (special && content.length > 1 ? [content] : [])));
  const contents = [...new Set(added.map(({ content }) => content))];
  const inside = foundInside(specials, contents);
  const tails = properTails(contents);
  return [...specials].filter((each) => !hard.has(each) && !inside.has(each) && !beginsWithTail(each, tails));
}

type JsonRecord = Readonly<Record<string, unknown>>;

/** Splitting `first` words apart from others happens to whatever stands at the beginning of a text. */
function treatsBeginningApart(part: unknown): boolean {
  if (Array.isArray(part)) return part.some(treatsBeginningApart);
  if (!isRecord(part)) return false;
  return part['prepend_scheme'] === 'first' || treatsBeginningApart(part['pretokenizers']);
}

function addedTokens(value: unknown): AddedToken[] {
  return (Array.isArray(value) ? value : []).flatMap((each: unknown) => {
    if (!isRecord(each)) return [];
    const { content, special, rstrip, single_word, normalized } = each;
    if (typeof content !== 'string' || content === '') return [];
    const isEasy = rstrip !== true && normalized !== true;
    return [{ content, special: special === true, isWord: single_word === true, isEasy }];
  });
}

/** Special tokens that stand within a longer token, which is found in their place. Cost O(all texts × lengths of specials). */
function foundInside(specials: ReadonlySet<string>, contents: readonly string[]): ReadonlySet<string> {
  const lengths = new Set([...specials].map(({ length }) => length));
  const found = new Set<string>();
  for (const content of contents) {
    for (const length of lengths) {
      for (let at = 0; length < content.length && at + length <= content.length; at += 1) {
        const part = content.slice(at, at + length);
        if (specials.has(part)) found.add(part);
      }
    }
  }
  return found;
}

function properTails(contents: readonly string[]): ReadonlySet<string> {
  const tails = new Set<string>();
  for (const content of contents) for (let at = 1; at < content.length; at += 1) tails.add(content.slice(at));
  return tails;
}

/** A token that begins earlier is found first, and would take the beginning of this one with it. */
function beginsWithTail(token: string, tails: ReadonlySet<string>): boolean {
  for (let length = 1; length < token.length; length += 1) if (tails.has(token.slice(0, length))) return true;
  return false;
}

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null;
}
