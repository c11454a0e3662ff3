import type { Vault } from '../../clouds/cloud.ts';
import type { Host, HostReader } from '../../engine/host.ts';
import { type Change, type ConditionType, inSync, type Resource } from '../../engine/resource.ts';
import type { Severity } from '../../engine/severity.ts';
import { applyObject, readApi } from '../../kubernetes/api.ts';
import { type ApiAccess, readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import { objectPath } from '../../kubernetes/object-path.ts';
import { nonBlocking } from '../combinators.ts';
import { isYielded } from './key-owners.ts';
import { noteComparison, untilComparison } from './last-comparison.ts';
import { namespacePresent } from './namespace-present.ts';
import { secretChanges } from './secret-changes.ts';
import { type SecretMetadata, secretAnnotations, secretMetadata, secretObject } from './secret-object.ts';
import { secretOwned } from './secret-owned.ts';
import { vaultValues } from './vault-values.ts';
import { vaultVersions } from './vault-versions.ts';
import type { WishedSecret } from './wished-secret.ts';

/** The place of a Secret in a plan, and how Slipway keeps the Secret up to date. */
export interface SecretUse {
  readonly vault: Vault;
  readonly condition: ConditionType;
  readonly needs: readonly string[];
  /** The path of the kubeconfig of the cluster's admin. */
  readonly kubeconfig: string;
  /** The time between two comparisons with the vault, in milliseconds. */
  readonly verifyEvery: number;
  /**
   * The severity if another program owns a key or a value is empty; determines whether dependants wait for the Secret.
   */
  readonly severity: Severity;
  /** A sentence that states what a person can do if another program owns a key. */
  readonly ifOwned: string;
  /** The field managers from which Slipway takes over keys; by default none. */
  readonly takesOverFrom?: readonly string[];
}

/**
 * Keeps a Secret in the cluster with the current values of the vault, by server-side apply, and creates its namespace.
 * Reads only the metadata of the Secret. Compares the versions with the vault every `verifyEvery` milliseconds, and
 * reads the values if a version is new or unknown.
 *
 * Throws `SecretOwned` if another program owns one of the keys, and `SecretEmpty` if a value is empty. Also throws
 * `ApiUnavailable`, `ApiForbidden`, `ApiRejected` and the errors of the vault.
 */
export function clusterSecret(wish: WishedSecret, use: SecretUse): Resource {
  const resource: Resource = {
    id: `Secret/${wish.namespace}/${wish.name}`,
    summary: `apply Secret ${wish.name} in the namespace ${wish.namespace}`,
    condition: use.condition,
    needs: use.needs,
    async check(host) {
      const access = await readKubeconfig(host, use.kubeconfig);
      const read = await readApi(host, access, secretPath(wish), secretMetadata, 'objectMetadata');
      const found = read?.metadata;
      const changes = secretChanges(found, wish);
      const newer = changes.length === 0 ? await newerInVault(host, wish, use, found) : [];
      if (changes.length === 0 && newer.length === 0) {
        return inSync({ until: host.now() + nextComparison(host, wish, use) });
      }
      const force = isYielded(found, wish.keys, use.takesOverFrom ?? []);
      return {
        state: 'Drifted',
        drift: {
          changes: [...changes, ...newer],
          due: changes.length === 0,
          remedy: (host) => bringSecret(host, access, wish, use, force),
        },
      };
    },
  };
  return use.severity.blocks ? resource : nonBlocking(resource);
}

/** Returns the path of a Secret in the API. */
export function secretPath({ namespace, name }: Pick<WishedSecret, 'namespace' | 'name'>): string {
  return objectPath({ apiVersion: 'v1', resource: 'secrets', namespace, name });
}

/** Returns a change if a comparison with the vault is due, and a version in the vault is new or unknown. */
async function newerInVault(
  host: HostReader,
  wish: WishedSecret,
  use: SecretUse,
  found: SecretMetadata | undefined,
): Promise<readonly Change[]> {
  if (nextComparison(host, wish, use) > 0) {
    return [];
  }
  const desired = await vaultVersions(use.vault, wish.sources);
  const observed = found?.annotations?.[secretAnnotations.versions];
  if (desired !== undefined && desired === observed) {
    noteComparison(host, use.vault, secretPath(wish));
    return [];
  }
  return [{ field: 'versions in the vault', observed, desired: desired ?? 'unknown' }];
}

function nextComparison(host: HostReader, wish: WishedSecret, { vault, verifyEvery }: SecretUse): number {
  return untilComparison(host, vault, secretPath(wish), verifyEvery);
}

/** Reads the values from the vault, and applies the Secret. An apply that changes nothing has no effect in the API. */
async function bringSecret(
  host: Host,
  access: ApiAccess,
  wish: WishedSecret,
  { vault, severity, ifOwned }: SecretUse,
  force: boolean,
): Promise<void> {
  const { values, versions } = await vaultValues(host, vault, wish, severity);
  await namespacePresent(host, access, wish.namespace);
  try {
    await applyObject(host, access, secretPath(wish), secretObject(wish, values, versions), { force });
  } catch (thrown) {
    throw secretOwned(wish, thrown, severity, ifOwned);
  }
  noteComparison(host, vault, secretPath(wish));
}
