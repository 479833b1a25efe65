/** From a request's path and method to what serves it. The table is compiled once. */
import type { ControlMethod, ControlRoute, InferenceRoute } from './route-table.ts';
import { controlRoutes, inferenceRoutes } from './route-table.ts';

/** All that one path can do. */
interface PathTarget {
  /** The pattern: safe as a label. */
  readonly path: string;
  readonly inference: InferenceRoute | undefined;
  readonly control: Readonly<Partial<Record<ControlMethod, ControlRoute>>>;
  /** For `Allow`. */
  readonly methods: readonly string[];
}

export type Target =
  | { readonly kind: 'inference'; readonly route: InferenceRoute; readonly path: PathTarget }
  | { readonly kind: 'control'; readonly route: ControlRoute; readonly path: PathTarget; readonly id: string }
  /** The path exists, but not for this method. */
  | { readonly kind: 'wrong_method'; readonly path: PathTarget }
  | { readonly kind: 'none' };

const NOWHERE: Target = { kind: 'none' };

function compile(): ReadonlyMap<string, PathTarget> {
  const targets = new Map<string, PathTarget>();
  for (const route of inferenceRoutes) {
    targets.set(route.path, { path: route.path, inference: route, control: {}, methods: ['POST'] });
  }
  for (const [path, routes] of Map.groupBy(controlRoutes, (route) => route.path)) {
    const control = Object.fromEntries(routes.map((route) => [route.method, route]));
    targets.set(path, { path, inference: undefined, control, methods: routes.map((route) => route.method) });
  }
  return targets;
}

const paths = compile();
const prefixes = [...paths.values()]
  .filter(({ path }) => path.endsWith('/{id}'))
  .map((target) => ({ target, prefix: target.path.slice(0, -4) }));

/** `path` is without its query. */
export function findRoute(method: string, path: string): Target {
  const exact = paths.get(path);
  if (exact) return choose(exact, method, '');
  for (const { target, prefix } of prefixes) {
    if (path.length > prefix.length && path.startsWith(prefix)) {
      return choose(target, method, decodeId(path.slice(prefix.length)));
    }
  }
  return NOWHERE;
}

function choose(path: PathTarget, method: string, id: string): Target {
  if (path.inference) {
    return method === 'POST' ? { kind: 'inference', route: path.inference, path } : { kind: 'wrong_method', path };
  }
  const route = path.control[(method === 'HEAD' ? 'GET' : method) as ControlMethod];
  return route ? { kind: 'control', route, path, id } : { kind: 'wrong_method', path };
}

function decodeId(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray `%`: no id has one, so the text stands for itself and is not found.
    return text;
  }
}
