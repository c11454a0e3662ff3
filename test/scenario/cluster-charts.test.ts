import { describe, expect, test } from 'vitest';
import { updatedBy } from '../lab/standins/k3s-apply.ts';
import type { HelmRun } from '../lab/standins/k3s-helm-run.ts';
import { booted, condition, live, noRestarts, type Vm, vm } from './a-vm.ts';

const minute = 60_000;
const kind = 'helmcharts.helm.cattle.io';
const noCharts = 'workloads: { charts: { cert-manager: null } }\n';

function chartOf({ kubernetes }: Vm, name = 'cert-manager') {
  return kubernetes.objects.get(kind, 'kube-system', name);
}

function releasesOf({ kubernetes }: Vm): readonly string[] {
  const secrets = kubernetes.objects.list('secrets').map(({ metadata }) => metadata.name);
  return secrets.filter((name) => name.startsWith('sh.helm.release.v1.'));
}

function configure({ host }: Vm, settings: string): void {
  host.files.write('/etc/slipway/config.d/extra.yaml', `${noRestarts}${settings}`);
}

function messageOf(report: Awaited<ReturnType<typeof live>>, type = 'Charts'): string {
  return report.conditions.find((each) => each.type === type)?.message ?? '';
}

describe('a chart in workloads.charts', () => {
  test('is deployed by K3s from its HelmChart, after the Secrets and before the bootstrap of Flux', async () => {
    const { machine } = await booted('server');
    expect(chartOf(machine)?.spec).toMatchObject({
      chart: 'oci://quay.io/jetstack/charts/cert-manager',
      version: 'v1.20.3',
      targetNamespace: 'cert-manager',
      createNamespace: true,
      failurePolicy: 'abort',
    });
    expect(releasesOf(machine)).toEqual(['sh.helm.release.v1.cert-manager.v1']);
    const lines = machine.host.lines();
    const at = (text: string) => lines.findIndex((line) => line.includes(text));
    expect(at('/secrets/cloudflare')).toBeLessThan(at('/helmcharts/cert-manager'));
    expect(at('/helmcharts/cert-manager')).toBeLessThan(at('flux bootstrap'));
  });

  test('is upgraded once after its settings change, without a restart of K3s', async () => {
    const { machine, slipway } = await booted('server');
    configure(machine, 'workloads: { charts: { cert-manager: { version: v1.21.0, timeout: 90m } } }\n');
    const report = await live(slipway, machine, 30 * minute);
    expect(condition(report, 'Charts')).toBe('True InSync');
    expect(chartOf(machine)?.spec).toMatchObject({ version: 'v1.21.0', timeout: '1h30m0s' });
    expect(releasesOf(machine)).toHaveLength(2);
    expect(machine.units.starts).toBe(1);
  });

  test('that takes long to install does not block GitOps or the node, and the condition shows when it began', async () => {
    const machine = vm('server', noRestarts);
    machine.kubernetes.helm = () => ({ result: 'running' });
    const slipway = machine.slipway();
    const early = await live(slipway, machine, 8 * minute);
    expect(condition(early, 'Charts')).toBe('Unknown ChartInProgress');
    expect(condition(early, 'GitOps')).toBe('True InSync');
    expect(condition(early, 'Ready')).toBe('True InSync');
    const late = await live(slipway, machine, 10 * minute);
    expect(condition(late, 'Charts')).toBe('False ChartInProgress');
    expect(messageOf(late)).toContain('since 2026-01-01T00:');
  });

  test('whose installation fails does not block GitOps or the node, and recovers once its settings change and helm succeeds', async () => {
    const machine = vm('server', noRestarts);
    machine.kubernetes.helm = () => ({ result: 'failed', message: '' });
    const slipway = machine.slipway();
    const report = await live(slipway, machine, 15 * minute);
    expect(condition(report, 'Charts')).toBe('False ChartFailed');
    expect(condition(report, 'GitOps')).toBe('True InSync');
    expect(condition(report, 'Ready')).toBe('True ChartFailed');
    machine.kubernetes.helm = (): HelmRun => ({ result: 'deployed', release: 'deployed' });
    configure(machine, 'workloads: { charts: { cert-manager: { version: v1.21.0 } } }\n');
    expect(condition(await live(slipway, machine, 2 * minute), 'Charts')).toBe('True InSync');
  });

  test.each([
    [
      'has a repository that does not resolve',
      'app: { chart: app, repo: "https://charts.invalid", version: 1.0.0',
    ],
    [
      'gets a value that its schema refuses',
      'app: { chart: traefik, repo: "https://traefik.github.io/charts", version: 41.0.0, values: { unknown: 1 }',
    ],
  ])('that %s is reported as failed, and the other charts are deployed', async (_, app) => {
    const { machine, slipway } = await booted('server');
    configure(machine, `workloads: { charts: { ${app}, namespace: app } } }\n`);
    const report = await live(slipway, machine, 15 * minute);
    expect(condition(report, 'Charts')).toBe('False ChartFailed');
    expect(messageOf(report)).toContain('The chart app is not deployed');
    expect(releasesOf(machine)).toEqual(['sh.helm.release.v1.cert-manager.v1']);
  });

  test('whose HelmChart another program edits is left alone, and the condition names the program', async () => {
    const { machine, slipway } = await booted('server');
    const { objects } = machine.kubernetes;
    const live0 = chartOf(machine);
    const metadata = { name: 'cert-manager', namespace: 'kube-system' };
    const edit = {
      apiVersion: 'helm.cattle.io/v1',
      kind: 'HelmChart',
      metadata,
      spec: { version: 'v1.19.0' },
    };
    objects.put(kind, 'kube-system', updatedBy('kubectl-edit', live0, edit));
    const report = await live(slipway, machine, 11 * minute);
    expect(condition(report, 'Charts')).toBe('False ChartOwned');
    expect(messageOf(report)).toContain('"kubectl-edit"');
    expect(chartOf(machine)?.spec).toMatchObject({ version: 'v1.19.0' });
  });

  test('that was deleted with its release is installed again', async () => {
    const { machine, slipway } = await booted('server');
    machine.kubernetes.objects.remove(kind, 'kube-system', 'cert-manager');
    await live(slipway, machine, 11 * minute);
    expect(chartOf(machine)).toBeDefined();
  });

  test('that the settings no longer name stays with its release until consent.chartRemoval names it', async () => {
    const { machine, slipway } = await booted('server');
    configure(machine, noCharts);
    const report = await live(slipway, machine, 11 * minute);
    expect(condition(report, 'Charts')).toBe('False ChartLeft');
    expect(messageOf(report)).toContain('consent: { chartRemoval: [cert-manager] }');
    expect(releasesOf(machine)).toHaveLength(1);
    configure(machine, `${noCharts}consent: { chartRemoval: [cert-manager] }\n`);
    const after = await live(slipway, machine, 11 * minute);
    expect(condition(after, 'Charts')).toBe('absent');
    expect(chartOf(machine)).toBeUndefined();
    expect(releasesOf(machine)).toEqual([]);
  });
});

describe('a server without charts and Secrets in its settings', () => {
  const nothing =
    'workloads: { charts: { cert-manager: null }, secrets: { cert-manager/cloudflare: null, default/regcred: null } }\n';

  test('has neither the condition Charts nor the condition Secrets, even during its boot or while the API is down', async () => {
    const machine = vm('server', `${noRestarts}${nothing}`);
    const slipway = machine.slipway();
    await live(slipway, machine, 5 * minute);
    machine.kubernetes.isUp = () => false;
    await live(slipway, machine, 2 * minute);
    const told = machine.events.flatMap((event) =>
      event.type === 'ConditionChanged' ? event.condition.type : [],
    );
    expect(told).toContain('GitOps');
    expect(told.filter((type) => ['Charts', 'Secrets'].includes(type))).toEqual([]);
  });
});
