import type { Cloud } from '../../clouds/cloud.ts';
import { shortDigest } from '../../engine/digest.ts';
import { NodeError } from '../../engine/errors.ts';
import type { Host } from '../../engine/host.ts';
import { type Change, inSync, type Resource } from '../../engine/resource.ts';
import type { Secret } from '../../engine/secret.ts';
import { advisory } from '../../engine/severity.ts';
import { applyObject, readApi } from '../../kubernetes/api.ts';
import { type ApiAccess, readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import { objectPath } from '../../kubernetes/object-path.ts';
import type { K3sNode } from '../../node.ts';
import { nonBlocking } from '../../resources/combinators.ts';
import { namespacePresent } from './namespace-present.ts';
import {
  ownedKeys,
  type SecretMetadata,
  type SecretNotes,
  secretAnnotations,
  secretMetadata,
  secretObject,
  workloadLabel,
} from './secret-object.ts';
import { vaultVersions } from './vault-versions.ts';
import type { WishedSecret } from './wished-secret.ts';

/**
 * Keeps a Secret in the cluster with the current values of the vault, by server-side apply, and creates its namespace.
 * Reads only the metadata of the Secret, and reads the vault only if a version there is new, or every
 * workloads.verifyEvery if the identity may not see versions. Blocks nothing.
 *
 * Throws `SecretOwned` if another program owns one of the keys, `ApiUnavailable`, `ApiForbidden`, `ApiRejected`, and
 * the errors of the vault.
 */
export function clusterSecret(
  node: K3sNode,
  cloud: Cloud,
  wish: WishedSecret,
  needs: readonly string[],
): Resource {
  const { verifyEvery } = node.settings.workloads;
  const path = secretPath(wish);
  return nonBlocking({
    id: `Secret/${wish.namespace}/${wish.name}`,
    summary: `apply Secret ${wish.name} in the namespace ${wish.namespace}`,
    condition: 'Secrets',
    needs,
    async check(host) {
      const access = await readKubeconfig(host, node.paths.k3s.kubeconfig);
      const found = await readApi(host, access, path, secretMetadata, 'objectMetadata');
      const versions = await vaultVersions(host, cloud, wish.sources, verifyEvery);
      const source = shortDigest(JSON.stringify([wish.form, versions]));
      const changes = found ? differences(found.metadata, wish, source) : [missing];
      const due =
        versions === undefined && found ? comparisonDue(found.metadata, host.now(), verifyEvery) : [];
      if (changes.length === 0 && due.length === 0) {
        return inSync();
      }
      const compared = versions === undefined && { compared: new Date(host.now()).toISOString() };
      return {
        state: 'Drifted',
        drift: {
          changes: [...changes, ...due],
          due: changes.length === 0,
          remedy: (host) => applySecret(host, access, cloud, wish, { source, ...compared }),
        },
      };
    },
  });
}

/** Returns the path of a Secret in the API. */
export function secretPath({ namespace, name }: Pick<WishedSecret, 'namespace' | 'name'>): string {
  return objectPath({ apiVersion: 'v1', resource: 'secrets', namespace, name });
}

const missing: Change = { field: 'Secret', observed: undefined, desired: 'present' };

function differences(found: SecretMetadata, wish: WishedSecret, source: string): readonly Change[] {
  const { annotations, labels } = found;
  const owned = ownedKeys(found).toSorted().join(', ');
  const keys = wish.keys.toSorted().join(', ');
  const wanted = { ...wish.labels, ...workloadLabel };
  return [
    { field: 'source', observed: annotations?.[secretAnnotations.source], desired: source },
    { field: 'keys of Slipway', observed: owned, desired: keys },
    ...Object.entries(wanted).map(([key, desired]) => ({ field: key, observed: labels?.[key], desired })),
  ].filter(({ observed, desired }) => observed !== desired);
}

/** Returns a change if the last comparison with the vault is older than `every`, or in the future. */
function comparisonDue({ annotations }: SecretMetadata, now: number, every: number): readonly Change[] {
  const observed = annotations?.[secretAnnotations.compared];
  const at = Date.parse(observed ?? '');
  return at <= now && now < at + every
    ? []
    : [{ field: 'compared with the vault', observed, desired: 'now' }];
}

async function applySecret(
  host: Host,
  access: ApiAccess,
  cloud: Cloud,
  wish: WishedSecret,
  notes: SecretNotes,
): Promise<void> {
  const read = new Map<string, Secret>();
  for (const name of wish.sources) {
    read.set(
      name,
      await host.obtain(`a value for Secret ${wish.name} (secret ${name})`, () => cloud.secret(name)),
    );
  }
  const values = wish.values((name) => read.get(name) ?? unread(name));
  await namespacePresent(host, access, wish.namespace);
  try {
    await applyObject(host, access, secretPath(wish), secretObject(wish, values, notes));
  } catch (thrown) {
    throw isConflict(thrown) ? owned(wish, thrown) : thrown;
  }
}

function unread(name: string): never {
  throw new Error(`the secret ${name} is not among the sources of its Secret`);
}

function isConflict(thrown: unknown): thrown is NodeError {
  return thrown instanceof NodeError && thrown.reason === 'ApiConflict';
}

function owned({ namespace, name }: WishedSecret, cause: NodeError): NodeError {
  return new NodeError(
    'SecretOwned',
    `Another program owns a key of Secret ${namespace}/${name}, so nothing was changed. ${cause.message} Remove the ` +
      'Secret from workloads.secrets, or let the other program give up the key.',
    { ...advisory, cause },
  );
}
