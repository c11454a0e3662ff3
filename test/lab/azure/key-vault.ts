/**
 * Emulated Key Vaults, distinguished by host name: GET /secrets/NAME and /secrets/NAME/versions with the bearer
 * challenge.
 *
 * Models "Authentication, requests and responses" (challenge of a 401), "Azure Key Vault REST API error codes", "Azure
 * RBAC on Key Vault data plane operations", "Configure Azure Key Vault firewalls", "Key Vault service limits"
 * (azure-docs, key-vault/general). The message texts of 403 and 401 are taken from logs of real vaults.
 */
import { randomBytes } from 'node:crypto';
import { type Entra, issuerOf } from './entra.ts';
import { Faults, type Incoming, type LoggedRequest, type Reply, startLoopback } from './loopback.ts';
import type { ServerCertificate } from './tls.ts';

/** A vault; tests may change its writable fields while the server runs. */
export class KeyVault {
  readonly name: string;
  /** The DNS suffix, such as `vault.azure.net`. */
  readonly suffix: string;
  /** The versions of each secret, in the order in which they were stored. */
  readonly #secrets = new Map<string, Version[]>();
  readonly #now: () => number;
  /** The faults of the server that serves all vaults. */
  readonly faults: Faults;
  /** Every value that any secret has had, oldest first. */
  readonly values: string[] = [];
  /** Why the vault refuses every address: its firewall, or disabled public access; `undefined` while it is open. */
  closed: 'firewall' | 'private' | undefined;
  /** The tenant whose tokens the vault accepts, if it differs from the tenant of the VMs. */
  tenant: string | undefined;
  /** The next `times` authenticated requests get 429 with this Retry-After. */
  throttle: { times: number; retryAfter?: string } = { times: 0 };

  /** True if the access policy of the vault permits listing versions. */
  listable = true;

  constructor({ name, suffix, faults, now }: KeyVaultInit) {
    this.name = name;
    this.suffix = suffix;
    this.faults = faults;
    this.#now = now;
  }

  get host(): string {
    return `${this.name}.${this.suffix}`;
  }

  get url(): string {
    return `https://${this.host}`;
  }

  /** Stores a new version of a secret; `at` is its creation time in epoch milliseconds, by default now. */
  set(secret: string, value: string, at = this.#now()): void {
    const created = Math.floor(at / 1000);
    const version = { value, enabled: true, version: randomBytes(16).toString('hex'), created };
    this.values.push(value);
    this.#secrets.set(secret, [...this.versions(secret), version]);
  }

  delete(secret: string): void {
    this.#secrets.delete(secret);
  }

  enable(secret: string, enabled: boolean): void {
    const found = this.find(secret);
    if (found) {
      found.enabled = enabled;
    }
  }

  /** Returns the version of a secret with the latest creation time; `undefined` if the secret does not exist. */
  find(secret: string): Version | undefined {
    const byAge = (a: Version, b: Version) => a.created - b.created;
    return [...this.versions(secret)].sort(byAge).at(-1);
  }

  versions(secret: string): readonly Version[] {
    return this.#secrets.get(secret) ?? [];
  }
}

/** One version of a secret. */
interface Version {
  readonly value: string;
  enabled: boolean;
  readonly version: string;
  /** The creation time in epoch seconds. */
  readonly created: number;
}

interface KeyVaultInit {
  readonly name: string;
  readonly suffix: string;
  readonly faults: Faults;
  readonly now: () => number;
}

export interface KeyVaultsOptions {
  readonly entra: Entra;
  readonly log: LoggedRequest[];
  readonly now: () => number;
  readonly tls: ServerCertificate;
  readonly names: readonly string[];
  readonly suffix?: string | undefined;
}

const apiVersions = ['7.4', '7.5', '7.6', '2025-07-01', '2026-04-01'];

export async function startKeyVaults({ entra, log, now, tls, names, suffix }: KeyVaultsOptions) {
  const faults = new Faults();
  const vaults = new Map(
    names
      .map((name) => new KeyVault({ name, suffix: suffix ?? 'vault.azure.net', faults, now }))
      .map((each) => [each.host, each]),
  );
  const answer = (request: Incoming) => {
    const vault = vaults.get(request.host);
    return vault ? get(vault, request, entra) : { status: 404, body: '' };
  };
  const server = await startLoopback({ name: 'key vault', log, faults, tls, answer });
  return { server, vaults: [...vaults.values()] };
}

function get(vault: KeyVault, request: Incoming, entra: Entra): Reply {
  const [, secret, rest] =
    /^\/secrets\/([0-9A-Za-z-]{1,127})(\/(?:[0-9a-f]*|versions))?$/.exec(request.url.pathname) ?? [];
  if (!apiVersions.includes(request.url.searchParams.get('api-version') ?? '')) {
    return failed(400, 'BadParameter', 'api-version must be specified or is not supported');
  }
  const caller = authenticate(vault, request, entra);
  if ('status' in caller) {
    return caller;
  }
  if (vault.closed) {
    return closed(vault, caller.text);
  }
  if (vault.throttle.times > 0) {
    return throttled(vault);
  }
  if (!secret || request.method !== 'GET') {
    return failed(404, 'NotFound', 'The resource was not found');
  }
  if (!entra.allows(caller.objectId, 'Key Vault Secrets User', vault.host)) {
    return forbiddenByRbac(vault, secret, caller.text);
  }
  return rest === '/versions'
    ? list(vault, secret, request.url, caller.text)
    : read(vault, secret, rest?.slice(1));
}

/**
 * Returns a page of the versions of a secret in no particular order (empty if the secret does not exist), 403 if the
 * vault is not listable, or 400 for an invalid page size.
 */
function list(vault: KeyVault, secret: string, { searchParams }: URL, caller: string): Reply {
  if (!vault.listable) {
    return failed(
      403,
      'Forbidden',
      `The user, group or application '${caller}' does not have secrets list permission on key vault '${vault.name};location=westeurope'.`,
      { inner: 'ForbiddenByPolicy' },
    );
  }
  const size = Number(searchParams.get('maxresults') ?? 25);
  if (!(size >= 1 && size <= 25)) {
    return failed(400, 'BadParameter', 'maxresults must be between 1 and 25');
  }
  const all = [...vault.versions(secret)].sort((a, b) => a.version.localeCompare(b.version));
  const from = Number(searchParams.get('$skiptoken') ?? 0);
  const next = `${vault.url}/secrets/${secret}/versions?api-version=${searchParams.get('api-version')}&$skiptoken=${from + size}&maxresults=${size}`;
  const value = all.slice(from, from + size).map((each) => described(vault, secret, each));
  return { status: 200, body: { value, nextLink: from + size < all.length ? next : null } };
}

function described(vault: KeyVault, secret: string, { version, enabled, created }: Version) {
  const attributes = {
    enabled,
    created,
    updated: created,
    recoveryLevel: 'Recoverable+Purgeable',
    recoverableDays: 90,
  };
  return { id: `${vault.url}/secrets/${secret}/${version}`, attributes, tags: {} };
}

interface Caller {
  readonly objectId: string;
  /** The caller in the format of Key Vault's messages. */
  readonly text: string;
}

function authenticate(vault: KeyVault, request: Incoming, entra: Entra): Caller | Reply {
  const [scheme, token = ''] = (request.headers.authorization ?? '').split(' ');
  if (scheme !== 'Bearer') {
    return unauthorized(vault, entra, 'AKV10000: Request is missing a Bearer or PoP token.');
  }
  const verified = entra.verify(token, `https://${vault.suffix}`, vault.tenant);
  if (verified.valid) {
    const { objectId, clientId, issuer } = verified;
    return { objectId, text: `appid=${clientId};oid=${objectId};iss=${issuer}` };
  }
  const expected = issuerOf(vault.tenant ?? entra.tenant);
  const messages = {
    malformed: 'AKV10001: Error validating token: IDX10500: Signature validation failed.',
    expired: "[TokenExpired] Error validating token: 'S2S12086'.",
    issuer: `AKV10032: Invalid issuer. Expected one of ${expected}, found another.`,
    audience: `AKV10022: Invalid audience. Expected https://${vault.suffix}, found another.`,
  };
  return unauthorized(vault, entra, messages[verified.why]);
}

function unauthorized(vault: KeyVault, { tenant }: Entra, message: string): Reply {
  const authority = `https://login.microsoftonline.com/${vault.tenant ?? tenant}`;
  const challenge = `Bearer authorization="${authority}", resource="https://${vault.suffix}"`;
  return failed(401, 'Unauthorized', message, { headers: { 'www-authenticate': challenge } });
}

function closed(vault: KeyVault, caller: string): Reply {
  const place = `Caller: ${caller}\r\nVault: ${vault.name};location=westeurope`;
  return vault.closed === 'firewall'
    ? failed(
        403,
        'Forbidden',
        `Client address is not authorized and caller is not a trusted service.\r\nClient address: 20.1.2.3\r\n${place}`,
        { inner: 'ForbiddenByFirewall' },
      )
    : failed(
        403,
        'Forbidden',
        `Public network access is disabled and request is not from a trusted service nor via an approved private link.\r\n${place}`,
        { inner: 'ForbiddenByConnection' },
      );
}

function throttled({ throttle }: KeyVault): Reply {
  throttle.times -= 1;
  const message =
    'Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached';
  const headers: Record<string, string> = throttle.retryAfter ? { 'retry-after': throttle.retryAfter } : {};
  return failed(429, 'Throttled', message, { headers });
}

function forbiddenByRbac(vault: KeyVault, secret: string, caller: string): Reply {
  const resource = `/subscriptions/8d10da13-8125-4ba9-a717-bf7490507b3d/resourcegroups/slipway-lab/providers/microsoft.keyvault/vaults/${vault.name}/secrets/${secret}`;
  return failed(
    403,
    'Forbidden',
    'Caller is not authorized to perform action on resource.\r\n' +
      'If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\n' +
      `Caller: ${caller}\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\nResource: '${resource}'\r\n` +
      `Assignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\nVault: ${vault.name};location=westeurope\r\n`,
    { inner: 'ForbiddenByRbac' },
  );
}

function read(vault: KeyVault, secret: string, wanted = ''): Reply {
  const found =
    wanted === '' ? vault.find(secret) : vault.versions(secret).find(({ version }) => version === wanted);
  if (!found) {
    return failed(
      404,
      'SecretNotFound',
      `A secret with (name/id) ${secret} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182`,
    );
  }
  if (!found.enabled) {
    return failed(403, 'Forbidden', 'Operation get is not allowed on a disabled secret.', {
      inner: 'SecretDisabled',
    });
  }
  return { status: 200, body: { value: found.value, ...described(vault, secret, found) } };
}

interface Failure {
  readonly headers?: Readonly<Record<string, string>>;
  readonly inner?: string;
}

function failed(status: number, code: string, message: string, { headers = {}, inner }: Failure = {}): Reply {
  const error = { code, message, ...(inner && { innererror: { code: inner } }) };
  return { status, headers, body: { error } };
}
