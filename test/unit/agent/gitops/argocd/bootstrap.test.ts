import { beforeEach, describe, expect, test } from 'vitest';
import { rootBootstrap } from '../../../../../src/agent/gitops/argocd/bootstrap.ts';
import type { MemoryApi } from '../../../../lab/memory-api.ts';
import type { MemoryHost } from '../../../../lab/memory-host.ts';
import { updatedBy } from '../../../../lab/standins/k3s-apply.ts';
import { context } from '../flux/settings.ts';
import { clusterHost, putRoot, synced, withCrds } from './cluster.ts';
import { argocdSettings } from './settings.ts';

let host: MemoryHost;
let api: MemoryApi;

beforeEach(() => {
  ({ host, api } = clusterHost());
});

function check(changes: Parameters<typeof argocdSettings>[0] = {}) {
  return rootBootstrap(argocdSettings(changes), context, []).check(host);
}

async function apply(changes: Parameters<typeof argocdSettings>[0] = {}): Promise<void> {
  const finding = await check(changes);
  if (finding.state !== 'Drifted') {
    throw new Error(`nothing to apply: ${finding.state}`);
  }
  await finding.drift.remedy(host);
}

const root = () => api.objects.get('applications.argoproj.io', 'argocd', 'root');

describe('rootBootstrap', () => {
  test('waits while the kind Application does not exist', async () => {
    expect(await check()).toMatchObject({ state: 'Waiting', reason: 'ArgocdNotReady' });
  });

  test('waits while the kind Application is not established', async () => {
    const crds = 'customresourcedefinitions.apiextensions.k8s.io';
    withCrds(api);
    const crd = api.objects.get(crds, undefined, 'applications.argoproj.io');
    if (crd) {
      api.objects.put(crds, undefined, {
        ...crd,
        status: { conditions: [{ type: 'Established', status: 'False' }] },
      });
    }
    expect(await check()).toMatchObject({ state: 'Waiting', reason: 'ArgocdNotReady' });
  });

  test('applies a root Application without a finalizer, which the CRD accepts', async () => {
    withCrds(api);
    await apply();
    expect(root()?.spec).toEqual({
      project: 'default',
      source: {
        repoURL: 'https://github.com/acme/fleet.git',
        targetRevision: 'main',
        path: 'clusters/prod',
      },
      destination: { server: 'https://kubernetes.default.svc', namespace: 'argocd' },
      syncPolicy: {
        automated: { prune: true, selfHeal: true },
        syncOptions: ['CreateNamespace=true', 'ServerSideApply=true'],
        retry: { limit: -1, backoff: { duration: '10s', factor: 2, maxDuration: '5m' } },
      },
    });
    expect(root()?.metadata.finalizers).toBeUndefined();
    expect(await check()).toMatchObject({ state: 'InSync', message: 'follows clusters/prod' });
  });

  test('applies another path as long as Argo CD has synced nothing', async () => {
    withCrds(api);
    await apply();
    await apply({ path: 'clusters/test' });
    expect(root()).toMatchObject({ spec: { source: { path: 'clusters/test' } } });
  });

  test.each([
    ['a history', synced],
    ['a sync that succeeded', { operationState: { phase: 'Succeeded' } }],
  ])('never applies the root Application again once it has %s', async (_, status) => {
    withCrds(api);
    await apply();
    const found = root();
    if (found) {
      api.objects.put('applications.argoproj.io', 'argocd', { ...found, status });
    }
    expect(await check()).toMatchObject({ state: 'InSync' });
    await expect(check({ path: 'clusters/test' })).rejects.toMatchObject({
      reason: 'BootstrapPathDiffers',
      blocks: false,
      endedBy: 'person',
      message: expect.stringContaining('Set path: clusters/prod in gitops.argocd'),
    });
  });

  test('treats an empty revision as HEAD, as Argo CD does', async () => {
    putRoot(api, synced, { targetRevision: '' });
    expect(await check({ revision: 'HEAD' })).toMatchObject({ state: 'InSync' });
  });

  test('reports a path that a person changed, even if Argo CD has synced nothing', async () => {
    withCrds(api);
    await apply();
    const found = root();
    if (found) {
      const source = { ...Object(found.spec).source, path: 'clusters/by-hand' };
      const changes = { ...found, spec: { ...Object(found.spec), source } };
      api.objects.put('applications.argoproj.io', 'argocd', updatedBy('kubectl-edit', found, changes));
    }
    await expect(check()).rejects.toMatchObject({ reason: 'BootstrapPathDiffers' });
  });
});

describe('rootBootstrap of a root Application that another program made', () => {
  test.each([
    ['another repository', { repoURL: 'https://x:geheim@github.com/acme/other' }, 'BootstrapSourceDiffers'],
    [
      'a password with an @',
      { repoURL: 'https://x:a@geheim@github.com/acme/other' },
      'BootstrapSourceDiffers',
    ],
    ['a token in a query', { repoURL: 'https://github.com/acme/other?t=geheim' }, 'BootstrapSourceDiffers'],
    ['another revision', { targetRevision: 'v1' }, 'BootstrapSourceDiffers'],
    ['another path', { path: 'clusters/test' }, 'BootstrapPathDiffers'],
  ])('reports %s, and changes nothing', async (_, changes, reason) => {
    putRoot(api, {}, changes);
    const error = await check().catch((thrown) => thrown);
    expect(error).toMatchObject({ reason, blocks: false });
    expect(error.message).not.toContain('geheim');
  });

  test.each([
    ['the same URL in another form', { repoURL: 'https://GITHUB.com/acme/fleet' }],
    ['the same path in another form', { path: './clusters/prod/' }],
  ])('accepts %s', async (_, changes) => {
    putRoot(api, synced, changes);
    expect(await check()).toMatchObject({ state: 'InSync', message: expect.stringContaining('4f2e') });
  });
});
