import { describe, expect, test } from 'vitest';
import { booted, condition, live, type Vm } from './a-vm.ts';

const minute = 60_000;

/**
 * Deletes the objects that a server creates in its cluster once, so that a test notices if the server creates them
 * again.
 */
function empty({ kubernetes }: Vm): void {
  kubernetes.objects.remove('secrets', 'cert-manager', 'cloudflare');
  kubernetes.objects.remove('secrets', 'flux-system', 'flux-system');
  kubernetes.objects.remove('helmcharts.helm.cattle.io', 'kube-system', 'cert-manager');
}

function found({ kubernetes }: Vm): readonly boolean[] {
  return [
    kubernetes.objects.get('secrets', 'cert-manager', 'cloudflare') !== undefined,
    kubernetes.objects.get('secrets', 'flux-system', 'flux-system') !== undefined,
    kubernetes.objects.get('helmcharts.helm.cattle.io', 'kube-system', 'cert-manager') !== undefined,
  ];
}

describe('what belongs to the whole cluster', () => {
  test('is kept by the only server', async () => {
    const { machine, slipway } = await booted('server');
    empty(machine);
    await live(slipway, machine, minute);
    expect(found(machine)).toEqual([true, true, true]);
  });

  test('is left alone by a server whose tag names another server; the condition Role says so, and K3s keeps running', async () => {
    const { machine, slipway } = await booted('server');
    const { vm } = machine.cloud;
    machine.cloud.vm = { ...vm, tags: { ...vm.tags, 'k3s-server': 'https://10.0.0.9:6443' } };
    empty(machine);
    const report = await live(slipway, machine, 11 * minute);
    expect(found(machine)).toEqual([false, false, false]);
    expect(condition(report, 'Role')).toBe('False ClusterExists');
    expect(report.conditions.find(({ type }) => type === 'Role')?.message).toContain(
      'leaves Secrets, charts and GitOps of the cluster to that server',
    );
    expect(condition(report, 'NodeReady')).toBe('True InSync');
    expect(report.conditions.map(({ type }) => type)).not.toContain('GitOps');
  });
});
