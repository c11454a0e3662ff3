import * as z from 'zod/mini';
import type { HostReader } from '../../engine/host.ts';
import { readApi } from '../../kubernetes/api.ts';
import { type ApiAccess, readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import { readList } from '../../kubernetes/lists.ts';
import { listPath } from '../../kubernetes/object-path.ts';
import { chartPath, foundChart, unmanagedAnnotation } from '../../resources/helm-chart/chart-object.ts';
import { argocdNamespace } from './application.ts';

/** The owner of Argo CD's Helm release. */
export type Manager =
  | { readonly is: 'k3s' }
  /** An Application has taken over the release, but K3s still manages the HelmChart and must give it up. */
  | { readonly is: 'taking-over'; readonly application: string }
  /** An owner other than K3s. K3s ignores the HelmChart, or the HelmChart is missing. */
  | { readonly is: 'other'; readonly by: string };

/**
 * The annotation with which Argo CD marks each object that an Application applied (argoproj/argo-cd, common/common.go).
 */
const trackingId = 'argocd.argoproj.io/tracking-id';

/**
 * Returns the owner of Argo CD's Helm release: an owner other than K3s if the HelmChart is marked as unmanaged; an
 * Application if Argo CD has marked one of its own Deployments; otherwise K3s. An unmanaged HelmChart stays unmanaged,
 * so Slipway never takes the release back. Throws the errors of `readApi`.
 */
export async function managerOf(host: HostReader, kubeconfig: string, chart: string): Promise<Manager> {
  const access = await readKubeconfig(host, kubeconfig);
  const found = await readApi(host, access, chartPath(chart), foundChart);
  if (unmanagedAnnotation in (found?.metadata.annotations ?? {})) {
    return { is: 'other', by: 'a person or the repository' };
  }
  const application = await trackingApplication(host, access);
  if (application === undefined) {
    return { is: 'k3s' };
  }
  return found === undefined
    ? { is: 'other', by: `the Application ${application}` }
    : { is: 'taking-over', application };
}

const deployment = z.object({
  metadata: z.object({ annotations: z.nullish(z.record(z.string(), z.string())) }),
});

/** Returns the name of the Application that applied a Deployment of Argo CD; `undefined` if none did. */
async function trackingApplication(host: HostReader, access: ApiAccess): Promise<string | undefined> {
  const kind = { apiVersion: 'apps/v1', resource: 'deployments', namespace: argocdNamespace };
  const path = listPath(kind, { 'app.kubernetes.io/part-of': 'argocd' });
  const found = await readList(host, access, path, deployment, 'listMetadata');
  const marks = found.flatMap(({ metadata }) => metadata.annotations?.[trackingId] ?? []);
  return marks[0]?.split(':')[0];
}
