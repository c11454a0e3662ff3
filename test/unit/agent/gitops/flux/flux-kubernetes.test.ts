import { expect, test } from 'vitest';
import { refuseOldKubernetes } from '../../../../../src/agent/gitops/flux/flux-kubernetes.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { hostWith } from './cluster.ts';
import { context, fluxSettings } from './settings.ts';

test.each([
  ['2.9.4', 'v1.33.0+k3s1'],
  ['2.9.4', 'v1.36.3-rc1+k3s1'],
  ['2.7.0', 'v1.32.13+k3s1'],
  ['2.4.0', 'v1.28.1+k3s1'],
  ['2.1.0', 'v1.20.0+k3s1'],
  ['0.41.2', 'v1.20.0+k3s1'],
])('for Flux %s, refuseOldKubernetes accepts K3s %s', async (version, k3s) => {
  await refuseOldKubernetes(hostWith({ k3s }), context, fluxSettings({ version }));
});

test.each([
  ['2.9.4', 'v1.32.13+k3s1', 33],
  ['2.8.0', 'v1.32.13+k3s1', 33],
  ['2.7.0', 'v1.31.9+k3s1', 32],
  ['2.4.0', 'v1.27.1+k3s1', 28],
  ['2.12.0', 'v1.32.13+k3s1', 33],
  ['3.0.0', 'v1.32.13+k3s1', 33],
])(
  'for Flux %s, refuseOldKubernetes refuses K3s %s, because Flux needs Kubernetes 1.%d',
  async (version, k3s, needed) => {
    const refused = refuseOldKubernetes(hostWith({ k3s }), context, fluxSettings({ version }));
    await expect(refused).rejects.toMatchObject({
      reason: 'KubernetesTooOld',
      endedBy: 'person',
      message:
        `Flux ${version} needs Kubernetes 1.${needed} or newer, but K3s is ${k3s}. ` +
        'Set k3s.version to a newer release, or gitops.flux.version to an older one.',
    });
  },
);

test('refuseOldKubernetes accepts K3s if K3s reports no version', async () => {
  const host = memoryHost().on({ file: 'k3s' }, { exitCode: 127 });
  await refuseOldKubernetes(host, context, fluxSettings());
});
