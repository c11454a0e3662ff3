import { beforeEach, describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { argocd, argocdGitOps } from '../../../../../src/agent/gitops/argocd/argocd.ts';
import type { ArgocdSettings } from '../../../../../src/agent/gitops/argocd/settings.ts';
import { aVault } from '../../../../lab/a-vault.ts';
import type { MemoryApi } from '../../../../lab/memory-api.ts';
import type { MemoryHost } from '../../../../lab/memory-host.ts';
import { context } from '../flux/settings.ts';
import { clusterHost, putRoot, synced } from './cluster.ts';
import { argocdSettings, publicSettings } from './settings.ts';

const ground = { cloud: aVault('geheim'), verifyEvery: 600_000 };

function plan(settings: ArgocdSettings, cloud = ground.cloud) {
  return argocdGitOps({ ...ground, settings, cloud }).resources(context);
}

test('argocdGitOps plans the login, the chart, the root Application and the check of its sync', () => {
  expect(plan(argocdSettings()).map(({ id, needs }) => [id, needs])).toEqual([
    ['Secret/argocd/slipway-repository', context.needs],
    ['HelmChart/argocd', context.needs],
    ['Bootstrap/root', ['Secret/argocd/slipway-repository', 'HelmChart/argocd']],
    ['Sync/root', ['Bootstrap/root']],
  ]);
});

test('argocdGitOps plans no login for a public repository', () => {
  expect(plan(publicSettings()).map(({ id }) => id)).toEqual([
    'HelmChart/argocd',
    'Bootstrap/root',
    'Sync/root',
  ]);
});

test('argocd names the hosts of the repository and of the chart', () => {
  const hosts = argocd.endpoints(argocdSettings()).map(({ hostname }) => hostname);
  expect(hosts).toEqual(['github.com', 'argoproj.github.io']);
  const { url: _, ...section } = argocdSettings();
  expect(argocd.endpoints(section)).toHaveLength(1);
});

test.each(['url', 'path'])('argocdGitOps throws for settings without %s', (key) => {
  const settings = { ...argocdSettings(), [key]: undefined };
  expect(() => argocdGitOps({ ...ground, settings })).toThrow(
    expect.objectContaining({ reason: 'InvalidSettings' }),
  );
});

describe('a vault that refuses the login', () => {
  let host: MemoryHost;
  let api: MemoryApi;
  const refusal = new NodeError('VaultForbidden', 'no right to read');
  const refusing = { ...ground.cloud, secret: () => Promise.reject(refusal) };

  beforeEach(() => {
    ({ host, api } = clusterHost());
  });

  async function blocksNow(): Promise<boolean | undefined> {
    const [login] = plan(argocdSettings(), refusing);
    const finding = await login?.check(host);
    return finding?.state === 'Drifted' ? finding.drift.blocks : undefined;
  }

  test('blocks the root Application', async () => {
    expect(await blocksNow()).not.toBe(false);
  });

  test('blocks nothing once the root Application exists', async () => {
    putRoot(api, synced);
    expect(await blocksNow()).toBe(false);
  });
});
