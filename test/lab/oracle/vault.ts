/**
 * Emulated vaults of one region: the secret retrieval service at secrets.vaults.REGION.oci.DOMAIN.
 *
 * Models version 20190301 of the Secret Retrieval API, from the generated client in oci-typescript-sdk (lib/secrets:
 * GetSecretBundleByName is a POST with an empty body and returns the version in a stage, CURRENT by default;
 * ListSecretBundleVersions) and "API Errors" (the same 404 for a
 * missing secret and for one that the caller may not read; 409 for a secret that is being deleted).
 */
import { randomBytes } from 'node:crypto';
import type { Incoming, Reply } from '../azure/loopback.ts';
import type { Caller } from './federation.ts';
import { refused } from './signatures.ts';

interface OracleSecret {
  readonly id: string;
  /** The values of all versions, oldest first; the last one is current. */
  readonly versions: string[];
  state: 'ACTIVE' | 'PENDING_DELETION';
}

export class OracleVault {
  readonly id: string;
  readonly #secrets = new Map<string, OracleSecret>();
  /** Every value of every secret so far. */
  readonly values: string[] = [];

  constructor(id: string) {
    this.id = id;
  }

  /** Stores a new version of a secret, and creates the secret if it is missing. */
  set(name: string, value: string): void {
    const id = `ocid1.vaultsecret.oc1.eu-frankfurt-1.${randomBytes(8).toString('hex')}`;
    const secret = this.#secrets.get(name) ?? { id, versions: [], state: 'ACTIVE' as const };
    secret.versions.push(value);
    this.values.push(value);
    this.#secrets.set(name, secret);
  }

  delete(name: string): void {
    this.#secrets.delete(name);
  }

  scheduleDeletion(name: string): void {
    const secret = this.#secrets.get(name);
    if (secret) {
      secret.state = 'PENDING_DELETION';
    }
  }

  find(name: string): OracleSecret | undefined {
    return this.#secrets.get(name);
  }

  byId(id: string): readonly [string, OracleSecret] | undefined {
    return [...this.#secrets].find(([, secret]) => secret.id === id);
  }
}

/** Returns the lab's short form of the permission `read secret-bundles where target.secret.name = NAME`. */
export function readSecret(name: string): string {
  return `read secret-bundles ${name}`;
}

export function answerVault(
  { method, url }: Incoming,
  caller: Caller,
  vaults: readonly OracleVault[],
  now: number,
): Reply {
  const path = url.pathname;
  if (method === 'POST' && path === '/20190301/secretbundles/actions/getByName') {
    const vault = vaults.find(({ id }) => id === url.searchParams.get('vaultId'));
    const name = url.searchParams.get('secretName') ?? '';
    const stage = url.searchParams.get('stage') ?? 'CURRENT';
    return bundle(vault?.find(name), stage, caller.permissions.includes(readSecret(name)), now);
  }
  const id = /^\/20190301\/secretbundles\/([^/]+)\/versions$/.exec(path)?.[1];
  if (method !== 'GET' || id === undefined) {
    return refused(404, 'NotFound', `${method} ${path} is not known`, now);
  }
  const [name = '', secret] = vaults.flatMap((vault) => vault.byId(decodeURIComponent(id)) ?? []) as [
    string?,
    OracleSecret?,
  ];
  const isPermitted = caller.permissions.includes(readSecret(name));
  return secret && isPermitted ? versions(secret, url.searchParams) : notVisible(now);
}

function notVisible(now: number): Reply {
  return refused(
    404,
    'NotAuthorizedOrNotFound',
    'Authorization failed or requested resource not found.',
    now,
  );
}

function bundle(secret: OracleSecret | undefined, stage: string, isPermitted: boolean, now: number): Reply {
  const place = stage === 'CURRENT' ? -1 : stage === 'PREVIOUS' ? -2 : Number.NaN;
  const value = Number.isNaN(place) ? undefined : secret?.versions.at(place);
  if (secret === undefined || value === undefined || !isPermitted) {
    return notVisible(now);
  }
  if (secret.state !== 'ACTIVE') {
    return refused(409, 'IncorrectState', `The secret is in the state ${secret.state}.`, now);
  }
  const content = Buffer.from(value).toString('base64');
  return {
    status: 200,
    body: {
      secretId: secret.id,
      versionNumber: secret.versions.length + 1 + place,
      versionName: null,
      timeCreated: new Date(now).toISOString(),
      stages: stage === 'CURRENT' ? ['CURRENT', 'LATEST'] : ['PREVIOUS'],
      secretBundleContent: { contentType: 'BASE64', content },
      timeOfExpiry: null,
      metadata: null,
    },
  };
}

function versions({ id, versions }: OracleSecret, query: URLSearchParams): Reply {
  const all = versions.map((_, index) => ({
    secretId: id,
    versionNumber: index + 1,
    stages: [['CURRENT', 'LATEST'], ['PREVIOUS']][versions.length - 1 - index] ?? ['DEPRECATED'],
  }));
  return { status: 200, body: query.get('sortOrder') === 'DESC' ? all.reverse() : all };
}
