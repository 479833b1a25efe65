/**
 * What a `functionResponse` says, as text: Gemini has an object where others have text, and by custom its one member
 * `result`, `output` or `error` is the text. Source: Gemini API reference, `FunctionResponse.response`: `output` for what
 * the function gave, `error` for what went wrong.
 */
import type { JsonNode } from '../hub/json-node.ts';

/** A result as other APIs write it. */
export interface ResponseText {
  readonly text: string;
  readonly isError: boolean;
}

/** Undefined: the result says nothing. */
export function readResponse(object: JsonNode | undefined): ResponseText {
  if (!object) return { text: '', isError: false };
  const [only, ...others] = object.members;
  if (!only || others.length > 0) return { text: object.text, isError: false };
  const [name, value] = only;
  if (name === 'error') return { text: value.string ?? value.text, isError: true };
  const isWrapper = (name === 'result' || name === 'output') && value.string !== undefined;
  return { text: isWrapper ? (value.string ?? '') : object.text, isError: false };
}
