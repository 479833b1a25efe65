/**
 * Do two kinds of samples come from one distribution? Welch's t of their means.
 * Shapes  welch(a, b) → t; 0 for equal means, far from 0 (|t| above 4.5) when the kinds can be told apart
 * Cost    O(samples)        Errors  none; fewer than two samples give NaN
 */
export function welch(a: readonly number[], b: readonly number[]): number {
  const first = moments(a);
  const second = moments(b);
  const error = Math.sqrt(first.variance / a.length + second.variance / b.length);
  return error === 0 && first.mean === second.mean ? 0 : (first.mean - second.mean) / error;
}

function moments(samples: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
  const squares = samples.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, variance: squares / (samples.length - 1) };
}
