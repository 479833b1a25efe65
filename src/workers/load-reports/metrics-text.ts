/**
 * Reads the part of a Prometheus page that load balancing needs: gauges and counters of single lines.
 * Cost    one pass over the text; buckets of histograms are skipped unread.
 * Bounds  10,000 samples; what cannot be read is left out.
 */

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Samples by metric name. */
export type MetricSamples = ReadonlyMap<string, readonly Sample[]>;

const MAX_SAMPLES = 10_000;
const LINE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const NO_SAMPLES: readonly Sample[] = [];

export function readMetrics(text: string): MetricSamples {
  const found = new Map<string, Sample[]>();
  let count = 0;
  for (const line of text.split('\n')) {
    if (line.startsWith('#') || line.includes('_bucket{')) continue;
    const [, name, labels, value] = LINE.exec(line) ?? [];
    const number = Number(value);
    if (name === undefined || !Number.isFinite(number)) continue;
    const sample = { labels: readLabels(labels), value: number };
    const list = found.get(name);
    if (list) list.push(sample);
    else found.set(name, [sample]);
    count += 1;
    if (count >= MAX_SAMPLES) break;
  }
  return found;
}

function readLabels(text: string | undefined): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name = '', value = ''] of (text ?? '').matchAll(LABEL)) labels[name] = value;
  return labels;
}

/** The samples of the first of these names that there is: names change between versions. */
export function samplesOf(metrics: MetricSamples, names: readonly string[]): readonly Sample[] {
  for (const name of names) {
    const samples = metrics.get(name);
    if (samples) return samples;
  }
  return NO_SAMPLES;
}

/** Their sum, taking negative ones for nothing; undefined for none. */
export function sumOf(samples: readonly Sample[]): number | undefined {
  return samples.length === 0 ? undefined : samples.reduce((sum, { value }) => sum + Math.max(0, value), 0);
}
