import type { Secret } from '../../engine/secret.ts';

/** A Secret that should be in the cluster. */
export interface WishedSecret {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The keys of the Secret. */
  readonly keys: readonly string[];
  /** The names of the secrets in the vault. */
  readonly sources: readonly string[];
  /** A digest of the wish without any value. */
  readonly form: string;
  /** Returns the value of each key. `read` returns the value of a secret in the vault by its name. */
  values(read: (name: string) => Secret): Readonly<Record<string, Secret>>;
}
