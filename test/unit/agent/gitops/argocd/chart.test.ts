import { beforeEach, describe, expect, test } from 'vitest';
import type { Finding } from '../../../../../src/agent/engine/resource.ts';
import { argocdChart } from '../../../../../src/agent/gitops/argocd/chart.ts';
import type { MemoryApi } from '../../../../lab/memory-api.ts';
import { memoryGit } from '../../../../lab/memory-git.ts';
import type { MemoryHost } from '../../../../lab/memory-host.ts';
import { context } from '../flux/settings.ts';
import { clusterHost } from './cluster.ts';
import { argocdSettings } from './settings.ts';

const charts = 'helmcharts.helm.cattle.io';
const unmanaged = 'helmcharts.helm.cattle.io/unmanaged';

let host: MemoryHost;
let api: MemoryApi;

beforeEach(() => {
  ({ host, api } = clusterHost());
  api.git = memoryGit(undefined, 'clusters/prod');
});

/**
 * Checks the chart, corrects it if it has drifted, and advances the clock by a second. Returns the finding of the
 * check.
 */
async function pass(changes: Parameters<typeof argocdSettings>[0] = {}): Promise<Finding> {
  const finding = await argocdChart(argocdSettings(changes), context, []).check(host);
  if (finding.state === 'Drifted') {
    await finding.drift.remedy(host);
  }
  host.advance(1_000);
  return finding;
}

async function installed(): Promise<void> {
  expect(await pass()).toMatchObject({ state: 'Drifted' });
  expect(await pass()).toMatchObject({ state: 'InSync' });
}

const chart = () => api.objects.get(charts, 'kube-system', 'argocd');
const releases = () =>
  api.objects.list('secrets', 'argocd').filter(({ metadata }) => Object(metadata.labels).owner === 'helm');

/** Makes an Application from the repository take over Argo CD's Deployments. */
function takeOver(): void {
  const metadata = { name: 'argo-cd', namespace: 'argocd' };
  const source = { chart: 'argo-cd', targetRevision: '10.2.0' };
  const spec = { source, syncPolicy: { automated: {} } };
  api.objects.put('applications.argoproj.io', 'argocd', {
    ...{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', metadata, spec },
  });
}

describe('argocdChart', () => {
  test('installs the pinned chart with the values, in its own namespace', async () => {
    await installed();
    expect(chart()?.spec).toMatchObject({
      chart: 'argo-cd',
      repo: 'https://argoproj.github.io/argo-helm',
      version: '10.1.1',
      targetNamespace: 'argocd',
      createNamespace: true,
      failurePolicy: 'abort',
    });
    expect(JSON.parse(Object(chart()?.spec).valuesContent)).toEqual({ dex: { enabled: false } });
    expect(api.objects.get('deployments.apps', 'argocd', 'argocd-server')).toBeDefined();
  });

  test('upgrades Argo CD when the version in the settings changes', async () => {
    await installed();
    expect(await pass({ chartVersion: '10.2.0' })).toMatchObject({ state: 'Drifted' });
    expect(await pass({ chartVersion: '10.2.0' })).toMatchObject({ state: 'InSync' });
    expect(releases()).toHaveLength(2);
  });

  test('makes K3s give up the chart once an Application manages Argo CD', async () => {
    await installed();
    takeOver();
    host.advance(1_000);
    expect(await pass()).toMatchObject({ state: 'Drifted' });
    expect(chart()?.metadata.annotations).toMatchObject({ [unmanaged]: 'true' });
    expect(await pass()).toMatchObject({
      state: 'InSync',
      message: expect.stringContaining('and K3s does not'),
    });
  });

  test('never installs the chart again after it was given up, whatever the settings say', async () => {
    await installed();
    takeOver();
    host.advance(1_000);
    await pass();
    api.objects.remove('applications.argoproj.io', 'argocd', 'argo-cd');
    const before = chart();
    for (const changes of [{ chartVersion: '11.0.0' }, { values: { dex: { enabled: true } } }]) {
      expect(await pass(changes)).toMatchObject({ state: 'InSync' });
    }
    expect(chart()).toEqual(before);
    expect(releases()).toHaveLength(1);
  });

  test('leaves Argo CD to its Application after the HelmChart was deleted', async () => {
    await installed();
    takeOver();
    host.advance(1_000);
    api.objects.remove(charts, 'kube-system', 'argocd');
    expect(await pass()).toMatchObject({
      state: 'InSync',
      message: expect.stringContaining('the Application argo-cd'),
    });
    expect(chart()).toBeUndefined();
  });

  test('does not change a HelmChart that a person made unmanaged', async () => {
    await installed();
    const found = chart();
    if (found) {
      const annotations = { ...Object(found.metadata.annotations), [unmanaged]: 'mine' };
      api.objects.put(charts, 'kube-system', { ...found, metadata: { ...found.metadata, annotations } });
    }
    expect(await pass({ chartVersion: '11.0.0' })).toMatchObject({ state: 'InSync' });
    expect(Object(chart()?.spec).version).toBe('10.1.1');
  });
});
