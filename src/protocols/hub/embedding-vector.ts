/** A vector of an engine, as it was asked for. */
import { GatewayError } from '../../domain/errors.ts';

/**
 * As the model gave it, or cut to fewer numbers and brought to length 1 again; throws `upstream_invalid_answer` for
 * what has no numbers, or some that JSON does not know.
 */
export function fittedVector(values: ArrayLike<number>, dimensions: number | undefined): number[] {
  const vector = Array.from(values);
  if (vector.length === 0 || !vector.every((value) => Number.isFinite(value)))
    throw new GatewayError('upstream_invalid_answer', 'The worker answered with an embedding that is no vector.');
  if (dimensions === undefined || dimensions >= vector.length) return vector;
  const cut = vector.slice(0, dimensions);
  const length = Math.sqrt(cut.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? cut : cut.map((value) => value / length);
}
