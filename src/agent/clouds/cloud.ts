import type { NodeError } from '../engine/errors.ts';
import type { Secret } from '../engine/secret.ts';
import type { CloudStorage } from './cloud-storage.ts';
import type { CloudEvents } from './events.ts';

/** The identity of a VM in its cloud. */
export interface Identity {
  /** The host name that the cloud gave to the operating system. */
  readonly computerName: string;
  /** The id of the VM, unique and constant for its life. Nodes use this id to spread their renewals over time. */
  readonly vmId: string;
  readonly location: string;
  /**
   * The primary address: a private IPv4 address or, in the static cloud, the address that the settings select;
   * `undefined` if unknown.
   */
  readonly address: string | undefined;
  /** The interface of `address`, if a range or an interface in the settings selected the address. */
  readonly interface?: string | undefined;
  /** The address at which other networks reach the VM, if the settings name or choose one. */
  readonly externalAddress?: string | undefined;
  /** The reason why `address` is unknown, if the cloud reports one. */
  readonly addressFault?: NodeError | undefined;
  /** The reason why the external address that the settings request is unknown. */
  readonly externalAddressFault?: NodeError | undefined;
  /** The instance tags by lower-cased name. */
  readonly tags: Readonly<Record<string, string>>;
}

/** A password for a registry. */
export interface RegistryPassword {
  readonly password: Secret;
  /** When the password expires, in epoch milliseconds on this machine's clock; absent if it does not expire. */
  readonly until?: number | undefined;
}

/**
 * The port to a cloud: the identity of this VM, and the secrets that this identity may read.
 *
 * Each adapter has its own folder, and reaches the network only through the Host that it is made with. Every failure is
 * a NodeError whose reason and message name the role or setting to correct. No call retries: only the reconciler
 * decides when to try again.
 */
export interface Cloud {
  readonly name: string;
  /** Reads the identity of this VM, without a secret and without side effects. */
  identity(): Promise<Identity>;
  /** Returns the current value of a secret. Throws `SecretNotFound`, `VaultForbidden` and similar errors. */
  secret(name: string): Promise<Secret>;
  /**
   * Returns a string that differs for each version of a secret and does not contain the value; `undefined` if the
   * version is unknown, for example because the identity may not list versions, so that the value must be read. Does
   * not throw for a refusal or an outage.
   */
  secretVersion(name: string): Promise<string | undefined>;
  /**
   * Returns the value that a secret had before its current version; `undefined` if the cloud keeps or shows no earlier
   * version. Does not throw for a refusal or an outage.
   */
  formerSecret(name: string): Promise<Secret | undefined>;
  /**
   * Returns the URLs of the services that the adapter uses with these settings, except for the metadata service and
   * registries; `slipway doctor` checks these URLs. Throws the errors of `identity` if a URL depends on the metadata
   * service and that service does not answer, and the errors for unusable settings.
   */
  endpoints(): Promise<readonly URL[]>;
  /** Returns the user name that goes with the `registryPassword` of a login server. */
  registryUser(loginServer: string): string;
  /** Returns a new password for a login server. Throws `RegistryUnauthorized` and similar errors. */
  registryPassword(loginServer: string): Promise<RegistryPassword>;
  /**
   * Returns the digest of an image tag, read with the VM's identity instead of a password; `undefined` if the cloud
   * does not support this. Throws `PullDenied`, `ProofImageNotFound` and similar errors.
   */
  imageDigest(loginServer: string, repository: string, tag: string): Promise<string | undefined>;
  /** The interruptions that the cloud announces; absent if it announces none. */
  readonly events?: CloudEvents;
  /** The object storage of the cloud; absent if the VM's identity gives access to none. */
  readonly storage?: CloudStorage;
}

/** The vault of a cloud: its secrets and their versions. */
export type Vault = Pick<Cloud, 'secret' | 'secretVersion'>;
