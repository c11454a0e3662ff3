import type { Secret } from '../engine/secret.ts';

/** What a VM is in its cloud. */
export interface Identity {
  /** The name inside the operating system, as the cloud gave it. */
  readonly computerName: string;
  /** Unique and stable for the life of the VM: a spread over the fleet derives from it. */
  readonly vmId: string;
  readonly location: string;
  /** The primary private IPv4 address, where it is known. */
  readonly address: string | undefined;
  /** Instance tags by their lower-cased names. */
  readonly tags: Readonly<Record<string, string>>;
}

/** A password for a registry. */
export interface RegistryPassword {
  readonly password: Secret;
  /** When it ends, epoch milliseconds by the clock of this machine; absent where it does not. */
  readonly until?: number | undefined;
}

/**
 * The port to a cloud: who this VM is, and the secrets its identity may read.
 *
 * An adapter lives in a folder of its own, gets the Host when it is made, and reaches the network through it alone.
 * Every failure is a NodeError whose reason and message name the role or setting that repairs it. No call retries:
 * the reconciler's pacing is the only policy.
 */
export interface Cloud {
  readonly name: string;
  /** Reads the instance metadata; needs no secret and has no effect. */
  identity(): Promise<Identity>;
  /** The current value of a secret: `SecretNotFound`, `VaultForbidden` and their like. */
  secret(name: string): Promise<Secret>;
  /** The user name that goes with `registryPassword` for a registry's login server. */
  registryUser(loginServer: string): string;
  /** A fresh password for a registry's login server: `RegistryUnauthorized` and its like. */
  registryPassword(loginServer: string): Promise<RegistryPassword>;
  /**
   * The digest of a tag as the identity itself sees it, with no password in between: `PullDenied`,
   * `ProofImageNotFound` and their like. `undefined` where a cloud has no such view.
   */
  imageDigest(loginServer: string, repository: string, tag: string): Promise<string | undefined>;
}
