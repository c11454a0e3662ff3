import { describe, expect, test } from 'vitest';
import { memoryGit } from '../lab/memory-git.ts';
import type { ApiObject } from '../lab/standins/k3s-objects.ts';
import { booted, condition, engineSettings, live, noRestarts, type Vm } from './a-vm.ts';
import { gitToken } from './world.ts';

const minute = 60_000;
const settings = `${noRestarts}${engineSettings.argocd}`;

const boot = () => booted('server', settings);

/** Overrides settings of Argo CD. */
function configure({ host }: Vm, changes: string): void {
  host.files.write('/etc/slipway/config.d/zz.yaml', `gitops: { argocd: ${changes} }\n`);
}

function gitHost({ kubernetes }: Vm, password = gitToken) {
  const git = memoryGit(password, 'clusters/main');
  kubernetes.git = git;
  return git;
}

function root({ kubernetes }: Vm): ApiObject | undefined {
  return kubernetes.objects.get('applications.argoproj.io', 'argocd', 'root');
}

function passwordIn({ kubernetes }: Vm): string {
  const secret = kubernetes.objects.get('secrets', 'argocd', 'slipway-repository');
  return Buffer.from(String(Object(secret?.data).password), 'base64').toString();
}

const messageOf = (report: Awaited<ReturnType<typeof live>>) =>
  report.conditions.find(({ type }) => type === 'GitOps')?.message;

/** Returns the Application by which a repository manages Argo CD itself. */
function selfApplication(): ApiObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'argo-cd', namespace: 'argocd' },
    spec: {
      project: 'default',
      source: { repoURL: 'https://argoproj.github.io/argo-helm', chart: 'argo-cd', targetRevision: '10.2.0' },
      destination: { server: 'https://kubernetes.default.svc', namespace: 'argocd' },
      syncPolicy: { automated: { prune: true, selfHeal: true } },
    },
  };
}

describe('a server with the GitOps engine argocd', () => {
  test('applies the login, the chart and the root Application in this order', async () => {
    const { machine, slipway } = await boot();
    const report = await live(slipway, machine, minute);
    expect(condition(report, 'GitOps')).toBe('True InSync');
    expect(root(machine)?.status).toMatchObject({ sync: { status: 'Synced' } });
    const lines = machine.host.lines();
    const at = ['/secrets/slipway-repository', '/helmcharts/argocd', '/applications/root'].map((path) =>
      lines.findIndex((line) => line.includes(path)),
    );
    expect(at).not.toContain(-1);
    expect(at).toEqual(at.toSorted((a, b) => a - b));
  });

  test('gives Argo CD a renewed token within workloads.verifyEvery, and restarts nothing', async () => {
    const { machine, slipway } = await boot();
    machine.cloud.secrets.set('flux-git-token', 'renewed');
    gitHost(machine, 'renewed');
    await live(slipway, machine, 11 * minute);
    expect(passwordIn(machine)).toBe('renewed');
    expect(condition(await live(slipway, machine, 6 * minute), 'GitOps')).toBe('True InSync');
    expect(machine.units.starts).toBe(1);
  });

  test('quotes the error of Argo CD while the Git host refuses the token', async () => {
    const { machine, slipway } = await boot();
    gitHost(machine, 'another');
    const report = await live(slipway, machine, 30 * minute);
    expect(condition(report, 'GitOps')).toBe('False ApplicationNotSynced');
    expect(messageOf(report)).toContain('authentication required');
    expect(condition(report, 'NodeReady')).toBe('True InSync');
  });

  test('still reports the state of Argo CD if the vault no longer returns the token', async () => {
    const { machine, slipway } = await boot();
    machine.cloud.secrets.delete('flux-git-token');
    machine.kubernetes.objects.remove('secrets', 'argocd', 'slipway-repository');
    const report = await live(slipway, machine, 30 * minute);
    const reasons = report.outcomes.flatMap((outcome) => ('reason' in outcome ? outcome.reason : []));
    expect(reasons).toEqual([expect.stringMatching(/^Secret/), 'ApplicationNotSynced']);
  });

  test('reports a changed path in the settings, and leaves the root Application as it is', async () => {
    const { machine, slipway } = await boot();
    configure(machine, '{ path: clusters/other }');
    const report = await live(slipway, machine, 11 * minute);
    expect(condition(report, 'GitOps')).toBe('False BootstrapPathDiffers');
    expect(root(machine)).toMatchObject({ spec: { source: { path: 'clusters/main' } } });
  });

  test('corrects a path that the repository never had', async () => {
    const { machine, slipway } = await booted('server', settings.replace('clusters/main', 'clusters/mian'));
    expect(condition(await live(slipway, machine, 30 * minute), 'GitOps')).toBe('False ApplicationNotSynced');
    configure(machine, '{ path: clusters/main }');
    expect(condition(await live(slipway, machine, 11 * minute), 'GitOps')).toBe('True InSync');
  });

  test('upgrades Argo CD once the settings name another chart version', async () => {
    const { machine, slipway } = await boot();
    configure(machine, '{ chartVersion: 10.2.0 }');
    expect(condition(await live(slipway, machine, 11 * minute), 'GitOps')).toBe('True InSync');
    expect(revisions(machine)).toBe(2);
  });

  test('hands Argo CD over to a repository that manages it, and never takes it back', async () => {
    const { machine, slipway } = await boot();
    const git = gitHost(machine);
    git.folders['clusters/main'] = [selfApplication()];
    git.commit = '5a3f';
    await live(slipway, machine, 11 * minute);
    expect(chart(machine)?.metadata.annotations).toMatchObject({
      'helmcharts.helm.cattle.io/unmanaged': 'true',
    });
    configure(machine, '{ chartVersion: 11.0.0, values: { dex: { enabled: true } } }');
    const { length } = machine.host.lines();
    expect(condition(await live(slipway, machine, 30 * minute), 'GitOps')).toBe('True InSync');
    expect(machine.host.lines().slice(length)).toEqual([]);
    expect(revisions(machine)).toBe(1);
  });

  test('shows the Git token in no event, condition or action', async () => {
    const { machine, slipway } = await boot();
    machine.cloud.secrets.set('flux-git-token', 'renewed-canary');
    const report = await live(slipway, machine, 11 * minute);
    const shown = JSON.stringify([machine.events, report, machine.host.journal]);
    for (const token of [gitToken, 'renewed-canary']) {
      expect(shown).not.toContain(token);
      expect(shown).not.toContain(Buffer.from(token).toString('base64'));
    }
  });
});

function chart({ kubernetes }: Vm): ApiObject | undefined {
  return kubernetes.objects.get('helmcharts.helm.cattle.io', 'kube-system', 'argocd');
}

/** Returns the number of revisions of Argo CD's Helm release. */
function revisions({ kubernetes }: Vm): number {
  const secrets = kubernetes.objects.list('secrets', 'argocd');
  return secrets.filter(({ metadata }) => metadata.name.startsWith('sh.helm.release.v1.argocd.')).length;
}
