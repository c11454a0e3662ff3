import { inSync, type Resource } from '../../engine/resource.ts';
import { observing } from '../../resources/combinators.ts';
import {
  unmanagedAnnotation,
  valuesContent,
  type WishedChart,
} from '../../resources/helm-chart/chart-object.ts';
import { helmChart } from '../../resources/helm-chart/helm-chart.ts';
import type { GitOpsContext } from '../gitops.ts';
import { argocdNamespace } from './application.ts';
import { release } from './release.ts';
import { type Manager, managerOf } from './self-management.ts';
import type { ArgocdSettings } from './settings.ts';

export const chartId = `HelmChart/${release}`;

/** The label that marks the HelmChart of a GitOps engine. */
const engineLabel = { 'slipway.dev/part-of': 'gitops' } as const;

/**
 * Returns the Resource that installs Argo CD with a HelmChart. Once Argo CD manages its own release, Slipway marks the
 * HelmChart as unmanaged, so that K3s gives it up, and then leaves it alone: two owners would undo each other's
 * upgrades. The check throws the errors of `helmChart`.
 */
export function argocdChart(
  settings: ArgocdSettings,
  { kubeconfig }: GitOpsContext,
  needs: readonly string[],
): Resource {
  const install = (annotations: WishedChart['annotations']) =>
    helmChart({
      id: chartId,
      condition: 'GitOps',
      needs,
      kubeconfig,
      wish: {
        name: release,
        labels: engineLabel,
        ...(annotations && { annotations }),
        spec: specOf(settings),
      },
    });
  const make = (manager: Manager): Resource => {
    switch (manager.is) {
      case 'k3s':
        return install(undefined);
      case 'taking-over':
        return install({ [unmanagedAnnotation]: 'true' });
      case 'other': {
        const message = `${manager.by} manages Argo CD, and K3s does not`;
        return { ...install(undefined), check: async () => inSync({ message }) };
      }
    }
  };
  return observing(make, { is: 'k3s' }, (host) => managerOf(host, kubeconfig, release));
}

function specOf({
  chartRepository,
  chartVersion,
  failurePolicy,
  values,
}: ArgocdSettings): WishedChart['spec'] {
  return {
    chart: 'argo-cd',
    repo: chartRepository,
    version: chartVersion,
    targetNamespace: argocdNamespace,
    createNamespace: true,
    valuesContent: valuesContent(values),
    failurePolicy,
  };
}
