/**
 * JSON schemas as Gemini takes them in `parametersJsonSchema` and `responseJsonSchema`, rewritten on a copy: references
 * that do not lead back to themselves are put in their place, `const` becomes an `enum` of one, and what Gemini does not
 * know is left out and reported. A schema that needs none of it keeps its bytes.
 * Cost   one walk; what references unfold to is bounded, beyond it they stay
 * Source Gemini API reference, generating content, `responseJsonSchema`: the list of keywords, and that a `$ref` stands
 *        alone. Keywords of Gemini's own `Schema` stay too.
 */
import type { JsonText } from '../../domain/generation.ts';
import type { JsonNode } from '../hub/json-node.ts';
import { parseNode } from '../hub/json-node.ts';
import type { Warnings } from '../hub/object-reader.ts';
import type { MemberText } from './object-text.ts';
import { objectText, sameListOr, sameOr } from './object-text.ts';

const KNOWN: ReadonlySet<string> = new Set([
  ...['$id', '$anchor', 'type', 'format', 'title', 'description', 'enum', 'minItems', 'maxItems', 'minimum', 'maximum'],
  ...['required', 'propertyOrdering', 'default', 'example', 'nullable', 'pattern', 'minLength', 'maxLength'],
  ...['minProperties', 'maxProperties'],
]);
/** Say nothing about the values, or are written anew from what refers to them. */
const SILENT: ReadonlySet<string> = new Set(['$schema', '$comment', '$defs', 'definitions']);
const MAX_DEPTH = 100;
/** Of text that references may unfold to, beyond the schema's own. */
const MAX_UNFOLDED_CHARACTERS = 1024 * 1024;

/** `path` names the schema in warnings. Text that is no JSON object comes back as it is. */
export function geminiSchema(text: JsonText, path: string, warnings: Warnings): JsonText {
  const root = parseNode(text);
  return root.kind === 'object' ? new Rewriting(root, warnings).root(path) : text;
}

interface Place {
  readonly path: string;
  readonly depth: number;
  /** References that led here. */
  readonly within: readonly string[];
}

class Rewriting {
  readonly #root: JsonNode;
  readonly #warnings: Warnings;
  #unfoldedCharacters = 0;
  /** References that stay, with the names of their definitions, which have to stay as well. */
  readonly #kept = new Map<string, string>();

  constructor(root: JsonNode, warnings: Warnings) {
    this.#root = root;
    this.#warnings = warnings;
  }

  root(path: string): JsonText {
    const text = this.#schema(this.#root, { path, depth: 0, within: [] });
    const definitions = this.#definitions(path);
    const isTyped = ['type', '$ref', 'anyOf', 'oneOf'].some((name) => this.#root.get(name) !== undefined);
    if (isTyped && definitions.length === 0) return text;
    if (!isTyped) this.#warnings.changed(path, 'has no type, so it is sent as an object');
    const members = [...parseNode(text).members].map(([name, { text: json }]): MemberText => [name, json]);
    if (!isTyped) members.unshift(['type', '"object"']);
    if (definitions.length > 0) members.push(['$defs', objectText(definitions)]);
    return objectText(members);
  }

  /** Those that are still referred to, rewritten too; the map grows while they refer to more. */
  #definitions(path: string): MemberText[] {
    const written: MemberText[] = [];
    for (const [reference, name] of this.#kept) {
      const node = this.#resolve(reference);
      const place = { path: `${path}.$defs.${name}`, depth: 0, within: [reference] };
      if (node) written.push([name, this.#schema(node, place)]);
    }
    return written;
  }

  #schema(node: JsonNode, place: Place): JsonText {
    if (node.kind !== 'object' || place.depth > MAX_DEPTH) return node.text;
    const reference = node.get('$ref')?.string;
    if (reference !== undefined) return this.#reference(node, reference, place);
    let isChanged = false;
    const members: MemberText[] = [];
    for (const [name, value] of node.members) {
      const member = this.#member(name, value, { ...place, path: `${place.path}.${name}` });
      isChanged ||= member?.[0] !== name || member[1] !== value.text;
      if (member) members.push(member);
    }
    return isChanged ? objectText(members) : node.text;
  }

  #member(name: string, value: JsonNode, place: Place): MemberText | undefined {
    const below = (key: string | number): Place => ({ ...place, path: `${place.path}.${key}`, depth: place.depth + 1 });
    switch (name) {
      case 'const':
        return ['enum', `[${value.text}]`];
      case 'properties':
        return [name, this.#each(value, below)];
      case 'anyOf':
      case 'oneOf':
      case 'prefixItems':
        return [name, this.#list(value, below)];
      case 'items':
      case 'additionalProperties':
        return [name, this.#schema(value, { ...place, depth: place.depth + 1 })];
      default:
        if (KNOWN.has(name)) return [name, value.text];
        if (!SILENT.has(name)) this.#warnings.lost(place.path, 'is a keyword of schemas that Gemini does not know');
        return undefined;
    }
  }

  #each(node: JsonNode, below: (key: string) => Place): JsonText {
    const members = [...node.members].map(([key, value]): MemberText => [key, this.#schema(value, below(key))]);
    return sameOr(node, members);
  }

  #list(node: JsonNode, below: (index: number) => Place): JsonText {
    return sameListOr(
      node,
      node.items.map((item, index) => this.#schema(item, below(index))),
    );
  }

  #reference(node: JsonNode, reference: string, place: Place): JsonText {
    const target = this.#resolve(reference);
    const name = nameOf(reference);
    const rest = [...node.members].filter(([each]) => each !== '$ref');
    if (target && !place.within.includes(reference) && reference !== '#' && this.#mayUnfold(target)) {
      const merged = rest.length > 0 && target.kind === 'object' ? parseNode(mergedText(target, rest)) : target;
      return this.#schema(merged, { ...place, depth: place.depth + 1, within: [...place.within, reference] });
    }
    if (!target || (name === undefined && reference !== '#')) {
      this.#warnings.lost(`${place.path}.$ref`, 'cannot be followed');
      return this.#schema(parseNode(objectText(textsOf(rest))), place);
    }
    if (name !== undefined) this.#kept.set(reference, name);
    for (const [sibling] of rest)
      if (!sibling.startsWith('$')) this.#warnings.lost(`${place.path}.${sibling}`, 'cannot stand beside a reference');
    const pointer = name === undefined ? '#' : `#/$defs/${escapePointer(name)}`;
    return objectText([['$ref', JSON.stringify(pointer)]]);
  }

  #mayUnfold(target: JsonNode): boolean {
    this.#unfoldedCharacters += target.text.length;
    return this.#unfoldedCharacters <= MAX_UNFOLDED_CHARACTERS;
  }

  #resolve(reference: string): JsonNode | undefined {
    if (reference === '#') return this.#root;
    if (!reference.startsWith('#/')) return undefined;
    let node: JsonNode | undefined = this.#root;
    for (const step of reference.slice(2).split('/').map(unescapePointer))
      node = node?.kind === 'array' ? node.items[Number(step)] : node?.get(step);
    return node;
  }
}

/** Of a definition; undefined for references to other places. */
function nameOf(reference: string): string | undefined {
  const name = /^#\/(?:\$defs|definitions)\/([^/]+)$/.exec(reference)?.[1];
  return name === undefined ? undefined : unescapePointer(name);
}

/** RFC 6901 */
function unescapePointer(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}

function escapePointer(step: string): string {
  return step.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The definition with what stands beside the reference, which says more. */
function mergedText(target: JsonNode, rest: readonly (readonly [string, JsonNode])[]): JsonText {
  return objectText(new Map([...textsOf(target.members), ...textsOf(rest)]));
}

function textsOf(members: Iterable<readonly [string, JsonNode]>): MemberText[] {
  return [...members].map(([name, { text }]) => [name, text]);
}
