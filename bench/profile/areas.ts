/**
 * Where the CPU time of a gateway in gRPC mode goes: the samples of a V8 CPU profile, summed by the part of a call's way
 * that they belong to.
 * Shapes  timeByArea(profile) → areas with ms, in the order of a call's way; `node bench/profile/areas.ts FILE|FOLDER`
 *         prints the newest profile of a folder, and below it the functions with the most time of their own
 * Units   ms of the second half of the busy samples: the first holds start and warm-up
 * Why by ancestor: what has no file of ours, as Node's streams or native writes, counts for the nearest caller that has
 *         an area. What comes in is read under HTTP/2's callbacks, and so counts there only as far as it calls nobody.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { renderTable } from '../report/table.ts';

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** As `--cpu-prof` writes it; `timeDeltas` in µs. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface Area {
  readonly name: string;
  readonly ms: number;
}

const GC = 'garbage collection';
const OTHER = 'Node and V8, of no part';

/** The first that fits counts. */
const AREAS: readonly (readonly [name: string, place: RegExp])[] = [
  [
    'read and admit the request',
    /node:_http_(server|incoming|common)|src\/(auth|admission)\/|src\/server\/(?!write-reply)/,
  ],
  ['decode the request', /src\/protocols\/(hub|json|openai-chat\/(decode|call-reader)|[^/]*peek|[^/]*scan)/],
  ['template', /src\/pipeline\/(template|prompt)\//],
  [
    'detokenize, output',
    /src\/pipeline\/(output|parsers|tokenizer\/(byte-decoding|text-decoding|utf8)|text-automaton)/,
  ],
  ['tokenize', /src\/pipeline\/tokenizer|src\/tokenizers\//],
  ['protobuf', /@bufbuild|src\/backends\/grpc\/(engines|gen)\//],
  ['gRPC and HTTP/2', /node:internal\/http2|src\/backends\/grpc\//],
  ['encode the answer', /src\/protocols\//],
  ['HTTP write', /node:_http_outgoing|src\/server\/write-reply/],
  ['dispatch', /src\/(dispatch|routing|resilience|workers|base|domain)\//],
  ['log and metrics', /src\/observability\//],
];

const ORDER = [...AREAS.map(([name]) => name), GC, OTHER];

/** Encoders of the hub are made of parts that its decoders do not have. */
const ENCODES = /src\/protocols\/hub\/json-text/;

function areaOf({ callFrame }: ProfileNode): string | undefined {
  if (callFrame.functionName === '(garbage collector)') return GC;
  if (ENCODES.test(callFrame.url)) return 'encode the answer';
  return AREAS.find(([, place]) => place.test(callFrame.url))?.[0];
}

/** Every node with the area that it or its nearest caller has. */
function areasByNode(profile: CpuProfile): ReadonlyMap<number, string> {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const areas = new Map<number, string>();
  const walk: [ProfileNode, string][] = profile.nodes.slice(0, 1).map((root) => [root, OTHER]);
  for (let next = walk.pop(); next; next = walk.pop()) {
    const [node, inherited] = next;
    const area = areaOf(node) ?? inherited;
    areas.set(node.id, area);
    for (const id of node.children ?? []) {
      const child = nodes.get(id);
      if (child) walk.push([child, area]);
    }
  }
  return areas;
}

function timeBy(profile: CpuProfile, keyOf: (node: ProfileNode) => string): Map<string, number> {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const busy = profile.samples.flatMap((id, at) => {
    const node = nodes.get(id);
    if (!node || node.callFrame.functionName === '(idle)') return [];
    return [{ node, ms: (profile.timeDeltas[at] ?? 0) / 1_000 }];
  });
  const sums = new Map<string, number>();
  for (const { node, ms } of busy.slice(busy.length >> 1)) {
    const key = keyOf(node);
    sums.set(key, (sums.get(key) ?? 0) + ms);
  }
  return sums;
}

export function timeByArea(profile: CpuProfile): Area[] {
  const areas = areasByNode(profile);
  const sums = timeBy(profile, ({ id }) => areas.get(id) ?? OTHER);
  return ORDER.map((name) => ({ name, ms: sums.get(name) ?? 0 }));
}

function timeByFunction(profile: CpuProfile, count: number): Area[] {
  const sums = timeBy(profile, ({ callFrame: { functionName, url, lineNumber } }) => {
    return `${functionName} ${url.replace(/^.*\/(?=(src|node_modules)\/)/, '')}:${lineNumber + 1}`;
  });
  return [...sums]
    .map(([name, ms]) => ({ name, ms }))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, count);
}

/** The newest of a folder. Throws where there is none. */
export function readProfile(path: string): CpuProfile {
  if (!statSync(path).isDirectory()) return JSON.parse(readFileSync(path, 'utf8')) as CpuProfile;
  const files = readdirSync(path).filter((name) => name.endsWith('.cpuprofile'));
  const times = files.map((name) => ({ name, at: statSync(join(path, name)).mtimeMs }));
  const newest = times.sort((a, b) => b.at - a.at)[0];
  if (!newest) throw new Error(`no .cpuprofile in ${path}`);
  return readProfile(join(path, newest.name));
}

function print(title: string, areas: readonly Area[], totalMs: number): void {
  const rows = areas.map(({ name, ms }) => [name, ms.toFixed(0), `${((100 * ms) / totalMs).toFixed(1)}%`]);
  console.log(`${renderTable({ columns: [title, 'ms', 'share'], rows })}\n`);
}

if (import.meta.main) {
  const profile = readProfile(process.argv[2] ?? '.');
  const areas = timeByArea(profile);
  const totalMs = areas.reduce((sum, { ms }) => sum + ms, 0);
  print('where', areas, totalMs);
  print('function', timeByFunction(profile, Number(process.argv[3] ?? 40)), totalMs);
}
