/** Reads the Prometheus text format 0.0.4, strictly: a line that does not fit is an error. Source: Prometheus, exposition formats. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const HELP = new RegExp(`^# HELP (${NAME}) (.+)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`, 's');
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;

export function readMetrics(text: string): MetricFamily[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end');
  const families: MetricFamily[] = [];
  let help: readonly string[] | null = null;
  for (const line of text.split('\n').slice(0, -1)) {
    const type = TYPE.exec(line);
    if (line.startsWith('# HELP')) {
      help = HELP.exec(line);
      if (!help) throw new Error(`a broken HELP line: ${line}`);
    } else if (type) {
      const [, name = '', kind = ''] = type;
      if (help?.[1] !== name) throw new Error(`TYPE without its HELP: ${line}`);
      if (families.some((family) => family.name === name)) throw new Error(`${name} comes twice`);
      families.push({ name, type: kind, help: help[2] ?? '', samples: [] });
    } else {
      addSample(families.at(-1), line);
    }
  }
  return families;
}

function addSample(family: MetricFamily | undefined, line: string): void {
  const [, name = '', labels, value = ''] = SAMPLE.exec(line) ?? [];
  if (name === '') throw new Error(`a broken line: ${JSON.stringify(line)}`);
  const suffixes = family?.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
  if (!family || !suffixes.some((suffix) => name === family.name + suffix))
    throw new Error(`${name} stands in the wrong family`);
  if (!/^(-?[0-9.]+(e[+-]?[0-9]+)?|[+-]Inf|NaN)$/.test(value)) throw new Error(`${value} is no value`);
  const sample = { name, labels: readLabels(labels ?? ''), value: Number(value.replace('Inf', 'Infinity')) };
  const key = (other: Sample) => JSON.stringify([other.name, Object.entries(other.labels).map(String).sort()]);
  if (family.samples.some((other) => key(other) === key(sample))) throw new Error(`the series comes twice: ${line}`);
  family.samples.push(sample);
}

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const found = LABEL.exec(text);
    if (!found) throw new Error(`broken labels: ${JSON.stringify(text)}`);
    const [, name = '', value = ''] = found;
    if (name in labels) throw new Error(`the label ${name} comes twice`);
    labels[name] = value.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
  }
  return labels;
}
