import { digest } from '../../../engine/digest.ts';
import { mergedFlags } from './flags.ts';
import { type GivenFlag, isList } from './given-flags.ts';

/**
 * The keys of a server's configuration that are risky to change in an existing cluster, each with its default in K3s
 * (pkg/cli/cmds/server.go; critical configuration: pkg/daemons/config, CriticalControlArgs).
 *
 * `never`: the value cannot change, since every node and Service uses it. `notYet`: a change needs steps that Slipway
 * does not perform. `consent`: a change works, but interrupts the network of every pod until all nodes have restarted.
 */
const table = {
  'cluster-cidr': { usual: '10.42.0.0/16', change: 'never' },
  'service-cidr': { usual: '10.43.0.0/16', change: 'never' },
  'cluster-domain': { usual: 'cluster.local', change: 'never' },
  'secrets-encryption': { usual: 'false', change: 'notYet' },
  'secrets-encryption-provider': { usual: 'aescbc', change: 'notYet' },
  'cluster-init': { usual: 'false', change: 'notYet' },
  'datastore-endpoint': { usual: '', change: 'notYet' },
  server: { usual: '', change: 'notYet' },
  'cluster-dns': { usual: '10.43.0.10', change: 'consent' },
  'flannel-backend': { usual: 'vxlan', change: 'consent' },
} as const;

export type GuardedKey = keyof typeof table;

export const guardedKeys = Object.keys(table) as readonly GuardedKey[];

/**
 * The values of guarded keys as strings. A list is joined with commas; a value that may contain a secret is replaced by
 * its digest.
 */
export type GuardedValues = Readonly<Record<string, string>>;

/** Returns whether the key can change in an existing cluster, as defined in `table`. */
export function changeOf(key: GuardedKey): 'never' | 'notYet' | 'consent' {
  return table[key].change;
}

/** True for a key that cannot change in an existing cluster even with consent. */
export function isIrreversible(name: string): boolean {
  const key = guardedKeys.find((each) => each === name);
  return key !== undefined && changeOf(key) !== 'consent';
}

/** The default values that K3s uses for the guarded keys. */
export const usualValues: GuardedValues = Object.fromEntries(
  guardedKeys.map((key) => [key, table[key].usual]),
);

/** Returns the effective values of the guarded keys that these flags set; a value that a list repeats counts once. */
export function guardedValues(flags: readonly GivenFlag[]): GuardedValues {
  const merged = mergedFlags(flags);
  return Object.fromEntries(
    guardedKeys.flatMap((key) => {
      const values = merged.get(key);
      return values === undefined ? [] : [[key, textOf(key, values)] as const];
    }),
  );
}

/** True for a key whose value may be a URL with a password. */
export function holdsSecret(key: GuardedKey): boolean {
  return key === 'datastore-endpoint';
}

function textOf(key: GuardedKey, values: readonly string[]): string {
  const text = isList(key) ? [...new Set(values)].join(',') : (values.at(-1) ?? '');
  return holdsSecret(key) ? digest(text) : text;
}
