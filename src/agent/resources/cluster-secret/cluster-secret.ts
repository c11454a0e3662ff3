import type { Cloud } from '../../clouds/cloud.ts';
import { secretEmpty } from '../../clouds/secret-empty.ts';
import { NodeError } from '../../engine/errors.ts';
import type { Host, HostReader } from '../../engine/host.ts';
import { type Change, inSync, type Resource } from '../../engine/resource.ts';
import type { Secret } from '../../engine/secret.ts';
import { advisory } from '../../engine/severity.ts';
import { applyObject, readApi } from '../../kubernetes/api.ts';
import { type ApiAccess, readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import { objectPath } from '../../kubernetes/object-path.ts';
import type { K3sNode } from '../../node.ts';
import { nonBlocking } from '../combinators.ts';
import { isComparisonDue, noteComparison } from './last-comparison.ts';
import { namespacePresent } from './namespace-present.ts';
import { secretChanges } from './secret-changes.ts';
import { type SecretMetadata, secretAnnotations, secretMetadata, secretObject } from './secret-object.ts';
import { vaultVersions, versionsDigest } from './vault-versions.ts';
import type { WishedSecret } from './wished-secret.ts';

/**
 * Keeps a Secret in the cluster with the current values of the vault, by server-side apply, and creates its namespace.
 * Reads only the metadata of the Secret. Every workloads.verifyEvery, reads the values in the vault if a version there
 * is new or unknown. Blocks nothing.
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
  const path = secretPath(wish);
  return nonBlocking({
    id: `Secret/${wish.namespace}/${wish.name}`,
    summary: `apply Secret ${wish.name} in the namespace ${wish.namespace}`,
    condition: 'Secrets',
    needs,
    async check(host) {
      const access = await readKubeconfig(host, node.paths.k3s.kubeconfig);
      const found = await readApi(host, access, path, secretMetadata, 'objectMetadata');
      const changes = secretChanges(found?.metadata, wish);
      const newer = changes.length === 0 ? await newerInVault(host, node, cloud, wish, found?.metadata) : [];
      if (changes.length === 0 && newer.length === 0) {
        return inSync();
      }
      return {
        state: 'Drifted',
        drift: {
          changes: [...changes, ...newer],
          due: changes.length === 0,
          remedy: (host) => bringSecret(host, access, cloud, wish),
        },
      };
    },
  });
}

/** Returns a change if a comparison with the vault is due, and a version there is new or unknown. */
async function newerInVault(
  host: HostReader,
  { settings }: K3sNode,
  cloud: Cloud,
  wish: WishedSecret,
  found: SecretMetadata | undefined,
): Promise<readonly Change[]> {
  if (!isComparisonDue(host, cloud, secretPath(wish), settings.workloads.verifyEvery)) {
    return [];
  }
  const desired = await vaultVersions(cloud, wish.sources);
  const observed = found?.annotations?.[secretAnnotations.versions];
  if (desired !== undefined && desired === observed) {
    noteComparison(host, cloud, secretPath(wish));
    return [];
  }
  return [{ field: 'versions in the vault', observed, desired: desired ?? 'unknown' }];
}

/** Returns the path of a Secret in the API. */
export function secretPath({ namespace, name }: Pick<WishedSecret, 'namespace' | 'name'>): string {
  return objectPath({ apiVersion: 'v1', resource: 'secrets', namespace, name });
}

/** Reads the values from the vault, and applies the Secret; the API ignores an apply without a difference. */
async function bringSecret(host: Host, access: ApiAccess, cloud: Cloud, wish: WishedSecret): Promise<void> {
  const { values, versions } = await readVault(host, cloud, wish);
  await namespacePresent(host, access, wish.namespace);
  try {
    await applyObject(host, access, secretPath(wish), secretObject(wish, values, versions));
  } catch (thrown) {
    throw isConflict(thrown) ? owned(wish, thrown) : thrown;
  }
  noteComparison(host, cloud, secretPath(wish));
}

/**
 * Reads the values and their versions. Queries each version before its value, so that a value that is replaced in
 * between is read again. A dry run reads neither.
 */
async function readVault(host: Host, cloud: Cloud, wish: WishedSecret) {
  const read = new Map<string, { readonly value: Secret; readonly version: string | undefined }>();
  for (const name of wish.sources) {
    let version: string | undefined;
    const value = await host.obtain(`a value for Secret ${wish.name} (secret ${name})`, async () => {
      version = await cloud.secretVersion(name);
      return filled(await cloud.secret(name), name);
    });
    read.set(name, { value, version });
  }
  return {
    values: wish.values((name) => read.get(name)?.value ?? unread(name)),
    versions: versionsDigest([...read.values()].map(({ version }) => version)),
  };
}

/** Returns the value; throws `SecretEmpty` for an empty one, which would replace a working value. */
function filled(value: Secret, name: string): Secret {
  if (value.reveal().trim() === '') {
    throw secretEmpty(name, advisory);
  }
  return value;
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
