/** From a request's path and method to what serves it. The table is compiled once. */
import type { ControlMethod, ControlRoute, InferenceRoute } from './route-table.ts';
import { controlRoutes, inferenceRoutes, modelRoutes } from './route-table.ts';

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
  | {
      readonly kind: 'inference';
      readonly route: InferenceRoute;
      readonly path: PathTarget;
      /** Of a path that names it. */
      readonly model: string | undefined;
    }
  | { readonly kind: 'control'; readonly route: ControlRoute; readonly path: PathTarget; readonly id: string }
  /** The path exists, but not for this method. */
  | { readonly kind: 'wrong_method'; readonly path: PathTarget }
  | { readonly kind: 'none' };

const NOWHERE: Target = { kind: 'none' };

function compile(): ReadonlyMap<string, PathTarget> {
  const targets = new Map<string, PathTarget>();
  for (const route of inferenceRoutes) targets.set(route.path, inferenceTarget(route));
  for (const [path, routes] of Map.groupBy(controlRoutes, (route) => route.path)) {
    const control = Object.fromEntries(routes.map((route) => [route.method, route]));
    targets.set(path, { path, inference: undefined, control, methods: routes.map((route) => route.method) });
  }
  return targets;
}

function inferenceTarget(route: InferenceRoute): PathTarget {
  return { path: route.path, inference: route, control: {}, methods: ['POST'] };
}

/** A path with a model in it, cut at the model. */
interface ModelPath {
  readonly target: PathTarget;
  readonly prefix: string;
  readonly suffix: string;
}

const modelPaths: readonly ModelPath[] = modelRoutes.map((route) => {
  const [prefix = '', suffix = ''] = route.path.split('{model}');
  return { target: inferenceTarget(route), prefix, suffix };
});

const paths = compile();
const prefixes = [...paths.values()]
  .filter(({ path }) => path.endsWith('/{id}'))
  .map((target) => ({ target, prefix: target.path.slice(0, -4) }));

/** A method of Gemini's API that is not served: whoever calls it means no model that has such a name. */
const OTHER_METHOD = /^\/v1(?:beta)?\/models\/.+:[A-Za-z]+$/;

/** `path` is without its query. */
export function findRoute(method: string, path: string): Target {
  const exact = paths.get(path);
  if (exact) return choose(exact, method, '');
  for (const { target, prefix, suffix } of modelPaths) {
    const isMeant = path.length > prefix.length + suffix.length && path.endsWith(suffix) && path.startsWith(prefix);
    if (isMeant) return choose(target, method, decodeId(path.slice(prefix.length, -suffix.length)));
  }
  if (method === 'POST' && OTHER_METHOD.test(path)) return NOWHERE;
  for (const { target, prefix } of prefixes) {
    if (path.length > prefix.length && path.startsWith(prefix)) {
      return choose(target, method, decodeId(path.slice(prefix.length)));
    }
  }
  return NOWHERE;
}

/** `id` is what the path says for `{id}` or `{model}`. */
function choose(path: PathTarget, method: string, id: string): Target {
  const { inference: route } = path;
  if (route) {
    if (method !== 'POST') return { kind: 'wrong_method', path };
    return { kind: 'inference', route, path, model: id === '' ? undefined : id };
  }
  const control = path.control[(method === 'HEAD' ? 'GET' : method) as ControlMethod];
  return control ? { kind: 'control', route: control, path, id } : { kind: 'wrong_method', path };
}

function decodeId(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray `%`: no id has one, so the text stands for itself and is not found.
    return text;
  }
}
