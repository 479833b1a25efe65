/** The keys of a test's gateway, one of each kind, and the ways to send one. */

export const KEYS = {
  api: 'gw-api-5f21c0d97a',
  tenant: 'gw-tenant:8be04417d2',
  user: 'gw-user-17c94bd0e3',
  admin: 'gw-admin-e60b52fa91',
} as const;

export type KeyKind = 'api' | 'tenant' | 'control';

/** Those flags that give the gateway these kinds of keys. */
export function keyFlags(...kinds: readonly KeyKind[]): Record<string, unknown> {
  return {
    ...(kinds.includes('api') ? { apiKey: KEYS.api } : {}),
    ...(kinds.includes('tenant') ? { tenantApiKey: [`acme:${KEYS.tenant}`, 'other:gw-other-00'] } : {}),
    ...(kinds.includes('control')
      ? { controlPlaneApiKeys: [`ci:CI deploys:admin:${KEYS.admin}`, `app:App:user:${KEYS.user}`] }
      : {}),
  };
}

export type Headers = Readonly<Record<string, string>>;

/** The three ways in which SDKs send a key. */
export const FORMS: Readonly<Record<string, (key: string) => Headers>> = {
  authorization: (key) => ({ authorization: `Bearer ${key}` }),
  'x-api-key': (key) => ({ 'x-api-key': key }),
  'x-goog-api-key': (key) => ({ 'x-goog-api-key': key }),
};

export const bearer = (key: string): Headers => ({ authorization: `Bearer ${key}` });
