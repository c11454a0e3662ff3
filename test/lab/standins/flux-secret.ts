import { namespace } from './flux-objects.ts';
import { updatedBy } from './k3s-apply.ts';
import type { Objects } from './k3s-objects.ts';

/**
 * Writes the Secret with which Flux fetches the repository, as the flux CLI does: an update that keeps other keys, by
 * the field manager `flux` (fluxcd/flux2 pkg/bootstrap, reconcileSecret; client-go names a manager after its program).
 */
export function writeFluxSecret(
  cluster: Objects,
  values: Readonly<Record<string, string>>,
  name: string = namespace,
): void {
  const data = Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  const live = cluster.get('secrets', namespace, name);
  const object = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'Opaque',
    data: Object.fromEntries(data),
  };
  cluster.put('secrets', namespace, updatedBy('flux', live, object));
}
