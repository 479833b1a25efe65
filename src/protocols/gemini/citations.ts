/**
 * Sources of an answer: `groundingMetadata` (pages found by Google's tools, with the words that they support) and
 * `citationMetadata` (texts that the model repeats), and the hub's citations.
 * Source: Gemini API reference, `GroundingMetadata` and `CitationMetadata`.
 */
import type { GenerationEvent } from '../../domain/generation-event.ts';
import type { JsonNode } from '../hub/json-node.ts';
import type { JsonOut } from '../hub/json-text.ts';

type Citation = GenerationEvent & { readonly type: 'citation' };

/** In every chunk Gemini may repeat what it said before: each source is told once. Bounded by the candidate's size. */
export function readCitations(candidate: JsonNode, choice: number): Citation[] {
  return [...readGrounding(candidate.get('groundingMetadata'), choice), ...readSources(candidate, choice)];
}

function readGrounding(metadata: JsonNode | undefined, choice: number): Citation[] {
  const supports = metadata?.get('groundingSupports')?.items ?? [];
  return (metadata?.get('groundingChunks')?.items ?? []).map((chunk, index) => {
    const page = chunk.get('web') ?? chunk.get('retrievedContext') ?? chunk.get('maps');
    const support = supports.find((each) =>
      (each.get('groundingChunkIndices')?.items ?? []).some(({ scalar }) => scalar === index),
    );
    return {
      type: 'citation',
      choice,
      url: page?.get('uri')?.string,
      title: page?.get('title')?.string,
      quote: support?.get('segment')?.get('text')?.string,
      json: chunk.text,
      origin: 'gemini',
    };
  });
}

/** The two APIs of Google have two names for the list. */
function readSources(candidate: JsonNode, choice: number): Citation[] {
  const metadata = candidate.get('citationMetadata');
  const sources = metadata?.get('citationSources') ?? metadata?.get('citations');
  return (sources?.items ?? []).map((source) => ({
    type: 'citation',
    choice,
    url: source.get('uri')?.string,
    title: source.get('title')?.string,
    quote: undefined,
    json: source.text,
    origin: 'gemini',
  }));
}

/** As pages that were found: that form has room for title and quote. */
export function writeCitations(citations: readonly Citation[]): JsonOut {
  const supports = citations.flatMap(({ quote }, index) =>
    quote === undefined ? [] : [{ segment: { text: quote }, groundingChunkIndices: [index] }],
  );
  return {
    groundingChunks: citations.map(({ url, title }) => ({ web: { uri: url, title } })),
    groundingSupports: supports.length > 0 ? supports : undefined,
  };
}
