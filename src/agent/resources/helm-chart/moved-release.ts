import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { forPerson } from '../../engine/severity.ts';
import type { ApiAccess } from '../../kubernetes/kubeconfig.ts';
import { chartNamespace, type FoundChart, type WishedChart } from './chart-object.ts';
import { readRelease } from './install-job.ts';

/**
 * Throws `ChartMoved` if a release of the chart exists in a namespace other than the wished one. K3s would install a
 * second release, and forget the first, whose objects would stay until a person deletes them.
 */
export async function refuseMove(
  host: HostReader,
  access: ApiAccess,
  { name, spec }: WishedChart,
  found: FoundChart | undefined,
): Promise<void> {
  const namespace = found && String(found.spec.targetNamespace ?? chartNamespace);
  if (namespace === undefined || namespace === spec.targetNamespace) {
    return;
  }
  if ((await readRelease(host, access, namespace, name)) !== undefined) {
    throw new NodeError(
      'ChartMoved',
      `The release ${name} is in the namespace ${namespace}, and K3s does not move a release, so nothing was changed. ` +
        `Set namespace: ${namespace} for the chart; or, to install it in ${spec.targetNamespace} without its data, ` +
        'take it out of the settings, consent to its removal, and name it again.',
      forPerson,
    );
  }
}
