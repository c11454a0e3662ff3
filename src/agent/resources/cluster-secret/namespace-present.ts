import * as z from 'zod/mini';
import type { Host } from '../../engine/host.ts';
import { applyObject, readApi } from '../../kubernetes/api.ts';
import type { ApiAccess } from '../../kubernetes/kubeconfig.ts';
import { objectPath } from '../../kubernetes/object-path.ts';

/** Creates a namespace if it is missing. Leaves an existing one to its owner. */
export async function namespacePresent(host: Host, access: ApiAccess, name: string): Promise<void> {
  const path = objectPath({ apiVersion: 'v1', resource: 'namespaces', name });
  if ((await readApi(host, access, path, z.looseObject({}), 'objectMetadata')) !== undefined) {
    return;
  }
  await applyObject(
    host,
    access,
    path,
    JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
  );
}
