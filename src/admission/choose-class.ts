/** Which class a call is of: what it asks for in `x-smg-priority`, capped by what its tenant may ask for. */
import type { ClientHeaders } from '../domain/call.ts';
import { GatewayError } from '../domain/errors.ts';
import type { ClassName } from './classes.ts';
import { CLASS_NAMES } from './classes.ts';

export interface ClassChooser {
  /** An index into the gate's classes. Throws `invalid_request`. */
  choose(headers: ClientHeaders, tenant: string): number;
}

/** A gateway without classes: the header means nothing. */
export const onlyClass: ClassChooser = { choose: () => 0 };

const HEADER = 'x-smg-priority';
const USUAL = CLASS_NAMES.indexOf('default');

export interface ChooserOptions {
  readonly defaultMaxClass: ClassName;
  /** By the tenant's name; the empty name is that of callers without a tenant. */
  readonly maxClassOf: ReadonlyMap<string, ClassName>;
}

export function chooserOf({ defaultMaxClass, maxClassOf }: ChooserOptions): ClassChooser {
  const usualMax = CLASS_NAMES.indexOf(defaultMaxClass);
  const maxOf = new Map([...maxClassOf].map(([tenant, name]) => [tenant, CLASS_NAMES.indexOf(name)]));
  return {
    choose: (headers, tenant) => Math.max(askedFor(headers), maxOf.get(tenant) ?? usualMax),
  };
}

function askedFor(headers: ClientHeaders): number {
  const value = headers[HEADER];
  if (value === undefined) return USUAL;
  const index = CLASS_NAMES.indexOf(value as ClassName);
  if (index >= 0) return index;
  const shown = JSON.stringify(String(value).slice(0, 32));
  throw new GatewayError('invalid_request', `${HEADER}: ${shown} is not one of ${CLASS_NAMES.join(', ')}.`, {
    param: HEADER,
  });
}
