/** Who may do what: the whole rule of access as one table of data. Knows owners of keys, never a key. Pure. */
import type { RouteAccess } from '../domain/ports.ts';

export type Role = 'admin' | 'user';

/** Whose key it is. */
export type KeyOwner =
  | { readonly kind: 'api' }
  | { readonly kind: 'tenant'; readonly tenant: string }
  | { readonly kind: 'control'; readonly id: string; readonly name: string; readonly role: Role };

/** Which kinds of keys the gateway has at all. */
export type KeyKinds = ReadonlySet<KeyOwner['kind']>;

/** `no_key`: it takes a key that is one of ours. `wrong_role`: the key is ours, but not for this. */
export type Ruling = 'allowed' | 'no_key' | 'wrong_role';

/** The rule of docs/decisions/0010; docs/guides/keys.md shows it as a table. */
export function rule(access: RouteAccess, owner: KeyOwner | undefined, kinds: KeyKinds): Ruling {
  if (access === 'public' || isOpen(access, kinds)) return 'allowed';
  if (!owner) return 'no_key';
  return access === 'data' || mayControl(owner, kinds) ? 'allowed' : 'wrong_role';
}

/** Calls are open while nobody has a key for them; the control plane only while nobody has any key. */
function isOpen(access: 'data' | 'control', kinds: KeyKinds): boolean {
  return access === 'data' ? !kinds.has('api') && !kinds.has('tenant') : kinds.size === 0;
}

/** Where there are control keys an admin's is needed, else the one of all; a tenant's never will do. */
function mayControl(owner: KeyOwner, kinds: KeyKinds): boolean {
  return kinds.has('control') ? owner.kind === 'control' && owner.role === 'admin' : owner.kind === 'api';
}
