/**
 * A metrics registry in the Prometheus text format 0.0.4: counters, gauges, histograms with labels.
 * Children are looked up once and kept by whoever writes them; writing is one addition.
 * Bound  a family holds at most MAX_CHILDREN label sets; what comes after shares one set of labels named `other`.
 * Cost   inc and observe O(1) and a few ns; a scrape O(series). Why not a library: docs/decisions/0003.
 */
const MAX_CHILDREN = 5_000;
const OTHER = 'other';

export interface CounterChild {
  value: number;
}

export interface HistogramChild {
  readonly counts: Float64Array;
  sum: number;
  count: number;
}

export interface FamilySpec {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

export type FamilyType = 'counter' | 'gauge' | 'histogram';

abstract class Family<Child> {
  readonly spec: FamilySpec;
  readonly #children = new Map<
    string,
    { readonly labels: string; readonly values: readonly string[]; readonly child: Child }
  >();

  constructor(spec: FamilySpec) {
    this.spec = spec;
  }

  /** The child for these label values, in the order of the family's labels; made when it is new. */
  with(...values: readonly string[]): Child {
    const key = values.join('\u0001');
    const known = this.#children.get(key);
    if (known) return known.child;
    const isFull = this.#children.size >= MAX_CHILDREN;
    if (isFull && values.some((value) => value !== OTHER)) return this.with(...values.map(() => OTHER));
    const child = this.create();
    this.#children.set(key, { labels: renderLabels(this.spec.labels, values), values, child });
    return child;
  }

  /** Forgets all children: for gauges that are set anew at each scrape. */
  clear(): void {
    this.#children.clear();
  }

  /** Forgets the children whose value of `label` is no longer known. */
  prune(label: string, isKnown: (value: string) => boolean): void {
    const at = this.spec.labels.indexOf(label);
    if (at < 0) return;
    for (const [key, { values }] of this.#children) {
      const value = values[at] ?? '';
      if (value !== OTHER && !isKnown(value)) this.#children.delete(key);
    }
  }

  render(): string {
    let text = `# HELP ${this.spec.name} ${this.spec.help}\n# TYPE ${this.spec.name} ${this.type}\n`;
    for (const { labels, child } of this.#children.values()) text += this.renderChild(labels, child);
    return text;
  }

  protected abstract readonly type: FamilyType;
  protected abstract create(): Child;
  protected abstract renderChild(labels: string, child: Child): string;
}

class ValueFamily extends Family<CounterChild> {
  protected readonly type: FamilyType;

  constructor(spec: FamilySpec, type: 'counter' | 'gauge') {
    super(spec);
    this.type = type;
  }

  protected create(): CounterChild {
    return { value: 0 };
  }

  protected renderChild(labels: string, child: CounterChild): string {
    return `${this.spec.name}${labels === '' ? '' : `{${labels}}`} ${child.value}\n`;
  }
}

export class HistogramFamily extends Family<HistogramChild> {
  protected readonly type = 'histogram';
  readonly #bounds: readonly number[];

  constructor(spec: FamilySpec, bounds: readonly number[]) {
    super(spec);
    this.#bounds = bounds;
  }

  observe(child: HistogramChild, value: number): void {
    const bounds = this.#bounds;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at += 1;
    child.counts[at] = (child.counts[at] as number) + 1;
    child.sum += value;
    child.count += 1;
  }

  protected create(): HistogramChild {
    return { counts: new Float64Array(this.#bounds.length + 1), sum: 0, count: 0 };
  }

  protected renderChild(labels: string, child: HistogramChild): string {
    const { name } = this.spec;
    const prefix = labels === '' ? '' : `${labels},`;
    let text = '';
    let total = 0;
    for (let at = 0; at < this.#bounds.length; at += 1) {
      total += child.counts[at] as number;
      text += `${name}_bucket{${prefix}le="${this.#bounds[at]}"} ${total}\n`;
    }
    const braces = labels === '' ? '' : `{${labels}}`;
    text += `${name}_bucket{${prefix}le="+Inf"} ${child.count}\n`;
    return `${text}${name}_sum${braces} ${child.sum}\n${name}_count${braces} ${child.count}\n`;
  }
}

export type CounterFamily = ValueFamily;
export type GaugeFamily = ValueFamily;

function renderLabels(names: readonly string[], values: readonly string[]): string {
  return names.map((name, i) => `${name}="${escapeLabel(values[i] ?? '')}"`).join(',');
}

function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));
}

export class MetricRegistry {
  readonly #families: { render(): string }[] = [];
  readonly #collectors: (() => void)[] = [];

  counter(spec: FamilySpec): CounterFamily {
    return this.#keep(new ValueFamily(spec, 'counter'));
  }

  gauge(spec: FamilySpec): GaugeFamily {
    return this.#keep(new ValueFamily(spec, 'gauge'));
  }

  histogram(spec: FamilySpec, bounds: readonly number[]): HistogramFamily {
    return this.#keep(new HistogramFamily(spec, bounds));
  }

  /** Runs before each scrape: for gauges that are read rather than kept. */
  onScrape(collect: () => void): void {
    this.#collectors.push(collect);
  }

  render(): string {
    for (const collect of this.#collectors) collect();
    return this.#families.map((family) => family.render()).join('');
  }

  #keep<Kept extends { render(): string }>(family: Kept): Kept {
    this.#families.push(family);
    return family;
  }
}
