import { digest } from '../../../engine/digest.ts';
import { placeOf } from './datastore-endpoint.ts';
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
  // Whether it can change depends on its values; see `changeOf`.
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

/** Whether a key can change in an existing cluster; see `table`. */
export type PossibleChange = 'never' | 'notYet' | 'consent';

/**
 * Returns whether the key can change from `observed` to `desired` in an existing cluster. An external datastore can
 * move to another place; but K3s does not move a cluster between an external datastore and one of its own.
 */
export function changeOf(key: GuardedKey, observed = '', desired = ''): PossibleChange {
  const isMove = key === 'datastore-endpoint' && observed !== '' && desired !== '';
  return isMove ? 'consent' : table[key].change;
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

/**
 * Returns the value of an endpoint in `GuardedValues`: a digest of its place, so that a new password is not a change.
 */
export function guardedEndpoint(endpoint: string): string {
  return endpoint === '' ? '' : digest(placeOf(endpoint));
}

/** True if an earlier build of Slipway recorded this endpoint as `value`: by the digest of the whole endpoint. */
export function isFormerEndpoint(value: string | undefined, endpoint: string | undefined): boolean {
  return value !== undefined && endpoint !== undefined && value === digest(endpoint);
}

/** True for a key whose value may be a URL with a password. */
export function holdsSecret(key: GuardedKey): boolean {
  return key === 'datastore-endpoint';
}

function textOf(key: GuardedKey, values: readonly string[]): string {
  const text = isList(key) ? [...new Set(values)].join(',') : (values.at(-1) ?? '');
  return holdsSecret(key) ? guardedEndpoint(text) : text;
}
