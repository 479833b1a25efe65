/**
 * Answers that a schema binds: the simulated model answers with an example of it. Reads the three dialects: chat's
 * `response_format`, messages' `output_config.format`, responses' `text.format`.
 */

import { isRecord, type JsonRecord, recordOf } from '../json.ts';
import type { Piece } from './pieces.ts';
import { cutText, exampleText } from './tool-call.ts';

/** The tokens of an example of the schema that a body asks for; undefined when it asks for none. */
export function structuredAnswer(body: JsonRecord): readonly Piece[] | undefined {
  const wanted = recordOf(recordOf(body['response_format'])['json_schema'])['schema'];
  const formats = [recordOf(body['output_config'])['format'], recordOf(body['text'])['format']];
  const schema = [wanted, ...formats.map((format) => recordOf(format)['schema'])].find(isRecord);
  return schema === undefined ? undefined : cutText(exampleText(schema));
}
