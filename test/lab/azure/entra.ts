/**
 * Emulated Microsoft Entra ID and Azure RBAC: access tokens of managed identities, and role assignments.
 *
 * Models the claims of a v1.0 access token ("Access token claims reference", entra-docs) and role assignments by role
 * name and scope. A managed identity's token is valid for 24 hours, as samples of the token endpoint show (expires_in
 * 86399).
 */
import { type Claims, Signer } from './jwt.ts';

export interface Principal {
  /** The object id to which roles are assigned. */
  readonly objectId: string;
  readonly clientId: string;
  /** The resource id of the VM or of the user-assigned identity. */
  readonly resourceId: string;
}

export type Role =
  | 'Key Vault Secrets User'
  | 'AcrPull'
  | 'Container Registry Repository Reader'
  | 'Storage Blob Data Contributor';

export interface AccessToken {
  readonly token: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export type Verified =
  | { readonly valid: true; readonly objectId: string; readonly clientId: string; readonly issuer: string }
  | { readonly valid: false; readonly why: 'malformed' | 'expired' | 'issuer' | 'audience' };

/** The audiences that Entra knows in every tenant; Entra refuses any other audience with AADSTS500011. */
const audiences: readonly string[] = [
  'https://vault.azure.net',
  'https://vault.usgovcloudapi.net',
  'https://vault.azure.cn',
  'https://containerregistry.azure.net',
  'https://management.azure.com',
  'https://storage.azure.com',
];

export class Entra {
  readonly tenant: string;
  readonly #signer = new Signer();
  readonly #now: () => number;
  readonly #assignments = new Set<string>();
  /** The issued access tokens, oldest first. */
  readonly issued: string[] = [];
  /** The lifetime of an access token, in milliseconds. */
  tokenLifetime = 86_399_000;

  constructor({ tenant, now }: { readonly tenant: string; readonly now: () => number }) {
    this.tenant = tenant;
    this.#now = now;
  }

  knows(audience: string): boolean {
    return audiences.includes(withoutSlash(audience));
  }

  issue(principal: Principal, audience: string): AccessToken {
    const issuedAt = Math.floor(this.#now() / 1000);
    const expiresAt = issuedAt + Math.floor(this.tokenLifetime / 1000);
    const token = this.#signer.sign({
      aud: withoutSlash(audience),
      iss: issuerOf(this.tenant),
      iat: issuedAt,
      nbf: issuedAt,
      exp: expiresAt,
      appid: principal.clientId,
      appidacr: '2',
      idp: issuerOf(this.tenant),
      idtyp: 'app',
      oid: principal.objectId,
      sub: principal.objectId,
      tid: this.tenant,
      ver: '1.0',
      xms_mirid: principal.resourceId,
    });
    this.issued.push(token);
    return { token, issuedAt, expiresAt };
  }

  /** Checks the signature, expiry, issuer and audience of a token; returns the caller or the first failed check. */
  verify(token: string, audience: string, tenant = this.tenant): Verified {
    const claims = this.#signer.verify(token);
    if (!claims) {
      return { valid: false, why: 'malformed' };
    }
    if (Number(claims.exp) * 1000 <= this.#now()) {
      return { valid: false, why: 'expired' };
    }
    if (claims.iss !== issuerOf(tenant)) {
      return { valid: false, why: 'issuer' };
    }
    if (claims.aud !== audience) {
      return { valid: false, why: 'audience' };
    }
    return { valid: true, ...caller(claims) };
  }

  assign(objectId: string, role: Role, scope: string): void {
    this.#assignments.add(assignment(objectId, role, scope));
  }

  unassign(objectId: string, role: Role, scope: string): void {
    this.#assignments.delete(assignment(objectId, role, scope));
  }

  allows(objectId: string, role: Role, scope: string): boolean {
    return this.#assignments.has(assignment(objectId, role, scope));
  }
}

export function issuerOf(tenant: string): string {
  return `https://sts.windows.net/${tenant}/`;
}

function caller(claims: Claims) {
  return { objectId: String(claims.oid), clientId: String(claims.appid), issuer: String(claims.iss) };
}

function assignment(objectId: string, role: Role, scope: string): string {
  return `${objectId} ${role} ${scope.toLowerCase()}`;
}

function withoutSlash(audience: string): string {
  return audience.replace(/\/$/, '');
}
