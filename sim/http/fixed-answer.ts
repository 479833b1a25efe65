/**
 * Answers a request with exactly the bytes its body asks for, to prove that answers pass a gateway untouched.
 *
 *   sim_answer_base64        the bytes
 *   sim_answer_content_type  default application/json
 *   sim_answer_status        default 200
 *   sim_answer_headers       object of strings, or list of [name, value] pairs (names may repeat)
 *   sim_answer_piece_bytes   send in pieces of so many bytes, one per turn of the event loop; no Content-Length
 */

import { countOf, type JsonRecord, listOf, recordOf, stringOf } from '../json.ts';
import type { Exchange } from './exchange.ts';

/** Sends the fixed answer a body asks for; false when it asks for none. */
export function sendFixedAnswer(exchange: Exchange): boolean {
  const { json: body, response } = exchange;
  const base64 = stringOf(body['sim_answer_base64']);
  if (base64 === undefined) return false;
  const bytes = Buffer.from(base64, 'base64');
  const pieceBytes = countOf(body['sim_answer_piece_bytes'], 1);
  const contentType = stringOf(body['sim_answer_content_type']) ?? 'application/json';
  const isStream = pieceBytes !== undefined || contentType.startsWith('text/event-stream');
  const headers = ['content-type', contentType, ...extraHeaders(body)];
  if (!isStream) headers.push('content-length', String(bytes.length));
  response.removeHeader('server');
  response.writeHead(countOf(body['sim_answer_status'], 200) ?? 200, headers);
  if (pieceBytes === undefined) response.end(bytes);
  else sendPieces(exchange, bytes, pieceBytes);
  return true;
}

function extraHeaders(body: JsonRecord): readonly string[] {
  const given = body['sim_answer_headers'];
  const pairs = Array.isArray(given) ? given.map(listOf) : Object.entries(recordOf(given));
  return pairs.flatMap(([name, value]) => (typeof name === 'string' ? [name, String(value)] : []));
}

function sendPieces(exchange: Exchange, bytes: Buffer, pieceBytes: number, from = 0): void {
  if (!exchange.isOpen) return;
  if (from >= bytes.length) {
    exchange.response.end();
    return;
  }
  exchange.response.write(bytes.subarray(from, from + pieceBytes));
  setImmediate(() => sendPieces(exchange, bytes, pieceBytes, from + pieceBytes));
}
