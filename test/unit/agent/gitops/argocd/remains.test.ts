import { beforeEach, describe, expect, test } from 'vitest';
import { argocdRemains } from '../../../../../src/agent/gitops/argocd/remains.ts';
import type { MemoryApi } from '../../../../lab/memory-api.ts';
import type { MemoryHost } from '../../../../lab/memory-host.ts';
import { context } from '../flux/settings.ts';
import { clusterHost, putRoot, synced } from './cluster.ts';

let host: MemoryHost;
let api: MemoryApi;

beforeEach(() => {
  ({ host, api } = clusterHost());
  api.helm = undefined;
});

const remains = () => argocdRemains(host, context.kubeconfig);

function putChart(annotations: object = {}): void {
  const metadata = { name: 'argocd', namespace: 'kube-system', annotations };
  const chart = { apiVersion: 'helm.cattle.io/v1', kind: 'HelmChart', metadata, spec: {} };
  api.objects.put('helmcharts.helm.cattle.io', 'kube-system', chart);
}

describe('argocdRemains', () => {
  test('lists nothing without Argo CD', async () => {
    expect(await remains()).toEqual([]);
  });

  test('lists Argo CD with the commands that remove it', async () => {
    putChart();
    putRoot(api, synced);
    expect(await remains()).toEqual([
      'Argo CD stays in the cluster, and follows its repository with its last login; to remove it: ' +
        'k3s kubectl delete application.argoproj.io -n argocd root; k3s kubectl delete helmchart -n kube-system argocd',
    ]);
  });

  test('names no command for a HelmChart that K3s no longer manages', async () => {
    putChart({ 'helmcharts.helm.cattle.io/unmanaged': 'true' });
    putRoot(api, synced);
    const [line] = await remains();
    expect(line).toContain('delete application.argoproj.io');
    expect(line).not.toContain('delete helmchart');
  });

  test('throws if the API does not answer', async () => {
    api.isUp = () => false;
    await expect(remains()).rejects.toMatchObject({ reason: 'ApiUnavailable' });
  });
});
