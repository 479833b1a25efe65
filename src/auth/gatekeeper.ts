/**
 * Lets requests in or turns them away by the keys in their headers. Owns how a refusal reads; the rule is roles.ts.
 * A refusal says nothing about the keys that exist: one text for every key that is not ours.
 */
import type { ClientHeaders } from '../domain/call.ts';
import { credentialsOf, PROVIDER_KEY_HEADER } from '../domain/credentials.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Gatekeeper, Principal, RouteAccess } from '../domain/ports.ts';
import type { KeyRing } from './api-keys.ts';
import type { KeyOwner, Ruling } from './roles.ts';
import { rule } from './roles.ts';

const ANYBODY: Principal = Object.freeze({ kind: 'anonymous', tenant: '', name: '', usedGatewayKey: false });

export class KeyGatekeeper implements Gatekeeper {
  readonly #ring: KeyRing;

  constructor(ring: KeyRing) {
    this.#ring = ring;
  }

  check(headers: ClientHeaders, access: RouteAccess): Principal {
    if (this.#ring.isEmpty) return ANYBODY;
    const keys = credentialsOf(headers);
    const owners = keys.map((key) => this.#ring.find(key)).filter((owner) => owner !== undefined);
    // Somebody who sends two good keys means the one that suffices.
    const owner = owners.find((each) => rule(access, each, this.#ring.kinds) === 'allowed') ?? owners[0];
    const ruling = rule(access, owner, this.#ring.kinds);
    if (ruling !== 'allowed') throw refusal(ruling, keys.length > 0);
    if (access === 'data') this.#checkProviderKey(headers);
    return owner ? principalOf(owner) : ANYBODY;
  }

  identify(headers: ClientHeaders): Principal {
    return this.check(headers, 'public');
  }

  /** A key of ours in the header of the provider's would leave the house. */
  #checkProviderKey(headers: ClientHeaders): void {
    const key = headers[PROVIDER_KEY_HEADER];
    if (typeof key !== 'string' || !this.#ring.find(key.trim())) return;
    const text = `${PROVIDER_KEY_HEADER} holds a key of the gateway; it is for a key of the provider.`;
    throw new GatewayError('invalid_request', text, { param: PROVIDER_KEY_HEADER });
  }
}

const HOW = 'as `Authorization: Bearer <key>`, `x-api-key` or `x-goog-api-key`';

function refusal(ruling: Exclude<Ruling, 'allowed'>, hasKey: boolean): GatewayError {
  if (ruling === 'wrong_role') {
    return new GatewayError('admin_required', 'The key is good, but it may not be used for this.');
  }
  if (hasKey) return new GatewayError('invalid_key', 'The key is not valid here.');
  return new GatewayError('authentication_required', `This needs a key, sent once, ${HOW}.`);
}

function principalOf(owner: KeyOwner): Principal {
  return {
    kind: 'key',
    tenant: owner.kind === 'tenant' ? owner.tenant : '',
    name: nameOf(owner),
    usedGatewayKey: true,
  };
}

function nameOf(owner: KeyOwner): string {
  if (owner.kind === 'api') return 'api-key';
  return owner.kind === 'tenant' ? `tenant ${owner.tenant}` : `${owner.name} (${owner.id})`;
}
