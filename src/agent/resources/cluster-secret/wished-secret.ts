import type { Secret } from '../../engine/secret.ts';

/** A Secret that should be in the cluster. */
export interface WishedSecret {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The keys of the Secret. */
  readonly keys: readonly string[];
  /** The names of the vault's secrets that contain the values. */
  readonly sources: readonly string[];
  /** A digest of everything in this wish except the values. */
  readonly form: string;
  /** Returns the value of each key. `read` takes the name of a secret in the vault and returns its value. */
  values(read: (name: string) => Secret): Readonly<Record<string, Secret>>;
}
