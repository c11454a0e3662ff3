import type { Secret } from '../engine/secret.ts';

/** What a VM is in its cloud. */
export interface Identity {
  /** The name that the cloud gave the operating system. */
  readonly computerName: string;
  /** Unique and stable for the life of the VM; spreads over the fleet derive from it. */
  readonly vmId: string;
  readonly location: string;
  /** The primary private IPv4 address, if it is known. */
  readonly address: string | undefined;
  /** Instance tags by their lower-cased names. */
  readonly tags: Readonly<Record<string, string>>;
}

/** A password for a registry. */
export interface RegistryPassword {
  readonly password: Secret;
  /** When it ends, epoch milliseconds by the clock of this machine; absent if it does not. */
  readonly until?: number | undefined;
}

/**
 * The port to a cloud: who this VM is, and the secrets its identity may read.
 *
 * An adapter has a folder of its own, gets the Host when it is made, and reaches the network only through it. Every
 * failure is a NodeError whose reason and message name the role or setting that repairs it. No call retries: only the
 * reconciler decides when to try again.
 */
export interface Cloud {
  readonly name: string;
  /** Reads the instance metadata; needs no secret and has no effect. */
  identity(): Promise<Identity>;
  /** Returns the current value of a secret: `SecretNotFound`, `VaultForbidden` and the like. */
  secret(name: string): Promise<Secret>;
  /** Returns the user name for the `registryPassword` of a registry's login server. */
  registryUser(loginServer: string): string;
  /** Returns a fresh password for a registry's login server: `RegistryUnauthorized` and the like. */
  registryPassword(loginServer: string): Promise<RegistryPassword>;
  /**
   * Returns the digest of a tag as the identity itself sees it, without a password: `PullDenied`, `ProofImageNotFound`
   * and the like. `undefined` if the cloud has no such view.
   */
  imageDigest(loginServer: string, repository: string, tag: string): Promise<string | undefined>;
}
