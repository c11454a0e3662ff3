import { createHash } from 'node:crypto';
import type { Cloud, Identity, RegistryPassword } from '../../src/agent/clouds/cloud.ts';
import type { CloudEvents } from '../../src/agent/clouds/events.ts';
import { received } from '../../src/agent/clouds/jwt.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { Secret } from '../../src/agent/engine/secret.ts';

export interface FakeCloudOptions {
  readonly identity?: Partial<Identity>;
  readonly secrets?: Readonly<Record<string, string>>;
  /** The login servers of the registries. */
  readonly registries?: readonly string[];
  /** The clock that sets the times in passwords, usually a Host; by default the system clock. */
  readonly clock?: { now(): number };
}

type Call = 'identity' | 'secret' | 'registryPassword' | 'imageDigest';

/** Secrets by name, each with its former value. */
class Secrets extends Map<string, string> {
  /** Made late, because the constructor of Map calls `set`. */
  #former: Map<string, string> | undefined;

  former(name: string): string | undefined {
    return this.has(name) ? this.#former?.get(name) : undefined;
  }

  override set(name: string, value: string): this {
    const before = this.get(name);
    if (before !== undefined && before !== value) {
      this.#former ??= new Map();
      this.#former.set(name, before);
    }
    return super.set(name, value);
  }
}

/**
 * An in-memory cloud for scenario tests. A test can change its answers and failures at any time.
 *
 * Each registry password is a new JWT, dated by the clock plus `clockSkew`. `calls` lists the requests.
 */
export class FakeCloud implements Cloud {
  readonly name = 'fake';
  readonly calls: string[] = [];
  readonly secrets: Secrets;
  readonly registries: Set<string>;
  /** The digests of images, by `SERVER/REPOSITORY:TAG`. */
  readonly images = new Map<string, string>();
  /** The URLs that `endpoints` returns: the services that Slipway needs to reach. */
  services: readonly URL[] = [];
  vm: Identity;
  /** The announcements of the cloud; by default, it announces nothing. */
  events?: CloudEvents;
  /** The lifetime of a registry password, in milliseconds. */
  tokenLifetime = 3 * 3_600_000;
  /** True if the VM may list the versions of secrets. */
  showsVersions = true;
  /** Milliseconds by which the registry's clock is ahead of this machine's. */
  clockSkew = 0;
  readonly #clock: { now(): number };
  #failures: { readonly call: Call; readonly error: NodeError; times: number }[] = [];
  #issued = 0;

  constructor({ identity, secrets = {}, registries = [], clock = { now: Date.now } }: FakeCloudOptions = {}) {
    this.secrets = new Secrets(Object.entries(secrets));
    this.registries = new Set(registries);
    this.#clock = clock;
    this.vm = {
      computerName: 'vm-1',
      vmId: '02aab8a4-74ef-476e-8182-f6d2ba4166a6',
      location: 'westeurope',
      address: '10.0.0.4',
      tags: {},
      ...identity,
    };
  }

  /** Makes the next `times` calls of this method throw `error`; by default all calls until `heal`. */
  fail(call: Call, error: NodeError, times = Number.POSITIVE_INFINITY): void {
    this.#failures.push({ call, error, times });
  }

  heal(): void {
    this.#failures = [];
  }

  tag(name: string, value: string | undefined): void {
    const { [name]: _old, ...others } = this.vm.tags;
    this.vm = { ...this.vm, tags: value === undefined ? others : { ...others, [name]: value } };
  }

  async identity(): Promise<Identity> {
    this.#called('identity', 'identity');
    return this.vm;
  }

  async secret(name: string): Promise<Secret> {
    this.#called('secret', `secret ${name}`);
    const value = this.secrets.get(name)?.replace(/[\r\n]+$/, '');
    if (value === undefined) {
      throw new NodeError('SecretNotFound', `There is no secret "${name}" yet. Create it.`);
    }
    if (value.trim() === '' || /[\r\n]/.test(value)) {
      throw new NodeError('SecretEmpty', `The secret "${name}" is not one line of text.`, {
        endedBy: 'person',
      });
    }
    return new Secret(value);
  }

  async secretVersion(name: string): Promise<string | undefined> {
    this.calls.push(`version ${name}`);
    const value = this.secrets.get(name);
    const isDown = this.#failures.some(({ call, times }) => call === 'secret' && times > 0);
    return value === undefined || isDown || !this.showsVersions
      ? undefined
      : createHash('sha256').update(value).digest('hex');
  }

  async formerSecret(name: string): Promise<Secret | undefined> {
    this.calls.push(`former ${name}`);
    const value = this.secrets.former(name);
    return value === undefined || !this.showsVersions ? undefined : new Secret(value);
  }

  async endpoints(): Promise<readonly URL[]> {
    return this.services;
  }

  registryUser(_loginServer: string): string {
    return 'fake-user';
  }

  async registryPassword(loginServer: string): Promise<RegistryPassword> {
    this.#called('registryPassword', `registryPassword ${loginServer}`);
    if (!this.registries.has(loginServer)) {
      throw new NodeError(
        'RegistryUnauthorized',
        `${loginServer} does not accept this VM. Assign it a role.`,
      );
    }
    this.#issued += 1;
    const now = this.#clock.now();
    const token = datedToken(now + this.clockSkew, this.tokenLifetime, `${loginServer} ${this.#issued}`);
    return received(new Secret(token), now);
  }

  async imageDigest(loginServer: string, repository: string, tag: string): Promise<string> {
    const image = `${loginServer}/${repository}:${tag}`;
    this.#called('imageDigest', `imageDigest ${image}`);
    if (!this.registries.has(loginServer)) {
      throw new NodeError(
        'PullDenied',
        `${loginServer} does not let this VM see ${image}. Assign it a role.`,
      );
    }
    const digest = this.images.get(image);
    if (digest === undefined) {
      throw new NodeError('ProofImageNotFound', `There is no image ${image}. Push it.`, {
        endedBy: 'person',
      });
    }
    return digest;
  }

  #called(call: Call, what: string): void {
    this.calls.push(what);
    const failure = this.#failures.find((each) => each.call === call && each.times > 0);
    if (!failure) {
      return;
    }
    failure.times -= 1;
    throw failure.error;
  }
}

/**
 * Returns an unsigned JWT, issued at `issuedAt` (epoch milliseconds) and valid for `lifetime` milliseconds. Both times
 * in the JWT are truncated to seconds.
 */
export function datedToken(issuedAt: number, lifetime: number, id = ''): string {
  const seconds = (time: number) => Math.floor(time / 1000);
  const parts = [
    { alg: 'RS256', typ: 'JWT' },
    { jti: id, iat: seconds(issuedAt), exp: seconds(issuedAt + lifetime) },
  ];
  return [...parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')), 'unsigned'].join(
    '.',
  );
}
