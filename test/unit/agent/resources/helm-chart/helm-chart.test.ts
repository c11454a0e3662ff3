import { beforeEach, describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import type { Finding } from '../../../../../src/agent/engine/resource.ts';
import { chartPath, type WishedChart } from '../../../../../src/agent/resources/helm-chart/chart-object.ts';
import { helmChart } from '../../../../../src/agent/resources/helm-chart/helm-chart.ts';
import { type MemoryApi, serveMemoryApi } from '../../../../lab/memory-api.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { updatedBy } from '../../../../lab/standins/k3s-apply.ts';
import { issue, makeAuthority } from '../../../../lab/standins/k3s-certificates.ts';
import type { HelmRun } from '../../../../lab/standins/k3s-helm-run.ts';
import { kubeconfig as kubeconfigOf } from '../../../../lab/standins/k3s-kubeconfig.ts';
import type { ApiObject } from '../../../../lab/standins/k3s-objects.ts';

const server = 'https://127.0.0.1:6443';
const kubeconfig = '/etc/rancher/k3s/k3s.yaml';
const authority = makeAuthority('k3s-server-ca@1700000000');
const admin = issue(authority, { commonName: 'system:admin', organization: 'system:masters' });
const minute = 60_000;

const wish: WishedChart = {
  name: 'cert-manager',
  labels: { 'slipway.dev/part-of': 'test' },
  spec: {
    chart: 'oci://quay.io/jetstack/charts/cert-manager',
    version: 'v1.20.3',
    targetNamespace: 'cert-manager',
    createNamespace: true,
    valuesContent: '{ "crds": { "enabled": true } }\n',
    failurePolicy: 'abort',
  },
};

const deployed: HelmRun = { result: 'deployed', release: 'deployed' };

let host: MemoryHost;
let api: MemoryApi;

beforeEach(() => {
  host = memoryHost();
  host.files.write(kubeconfig, kubeconfigOf({ server, ca: authority.certificate, ...admin }), 0o600);
  api = serveMemoryApi(host, server, {
    [admin.certificate]: { name: 'system:admin', groups: ['system:masters'] },
  });
  const metadata = { name: 'kube-system' };
  api.objects.put('namespaces', undefined, { apiVersion: 'v1', kind: 'Namespace', metadata });
});

function chartOf(wished: WishedChart) {
  return helmChart({ id: 'Chart/test', condition: 'GitOps', needs: [], wish: wished, kubeconfig });
}

function wishing(spec: Partial<WishedChart['spec']>): WishedChart {
  return { ...wish, spec: { ...wish.spec, ...spec } };
}

/** Checks the chart, and corrects it if it has drifted. Returns the finding of the check. */
async function pass(wished = wish): Promise<Finding> {
  const finding = await chartOf(wished).check(host);
  if (finding.state === 'Drifted') {
    await finding.drift.remedy(host);
  }
  return finding;
}

/** Applies the chart, advances the clock by a second, and returns the finding of the next check. */
async function applied(wished = wish): Promise<Finding> {
  await pass(wished);
  host.advance(1_000);
  return chartOf(wished).check(host);
}

async function failure(check: Promise<Finding>): Promise<NodeError> {
  const thrown = await check.catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(NodeError);
  return thrown as NodeError;
}

function stored(): ApiObject | undefined {
  return api.objects.get('helmcharts.helm.cattle.io', 'kube-system', 'cert-manager');
}

/** Changes the HelmChart as the program `manager` would, without server-side apply. */
function edit(manager: string, fields: object): void {
  const { apiVersion, kind, metadata } = stored() ?? { apiVersion: '', kind: '', metadata: { name: '' } };
  const { name, namespace } = metadata;
  const changes = { apiVersion, kind, metadata: { name, namespace }, ...fields };
  api.objects.put('helmcharts.helm.cattle.io', 'kube-system', updatedBy(manager, stored(), changes));
}

function release(version: number, labels: Readonly<Record<string, string>>): void {
  const path = `sh.helm.release.v1.cert-manager.v${version}`;
  const before = api.objects.get('secrets', 'cert-manager', path);
  const all = { owner: 'helm', name: 'cert-manager', version: String(version), ...labels };
  const metadata = { ...before?.metadata, name: path, namespace: 'cert-manager', labels: all };
  api.objects.put('secrets', 'cert-manager', { apiVersion: 'v1', kind: 'Secret', metadata });
}

describe('a HelmChart', () => {
  test('is applied, and in sync once K3s has deployed its release', async () => {
    expect((await pass()).state).toBe('Drifted');
    expect(stored()).toMatchObject({ spec: wish.spec, metadata: { labels: wish.labels } });
    expect(await chartOf(wish).check(host)).toMatchObject({ state: 'Waiting', reason: 'ChartInProgress' });
    host.advance(1_000);
    expect(await chartOf(wish).check(host)).toEqual({
      state: 'InSync',
      message: 'release cert-manager, revision 1',
    });
  });

  test('lets its dependants wait while it is applied', async () => {
    expect(await pass()).toMatchObject({ drift: { partial: true } });
  });

  test('is changed once if the wanted chart changes, and judged by the job that the change starts', async () => {
    await applied();
    const newer = wishing({ version: 'v1.21.0' });
    expect(await pass(newer)).toMatchObject({
      drift: { changes: [{ field: 'version', observed: 'v1.20.3', desired: 'v1.21.0' }] },
    });
    const [found, job] = [stored(), await chartOf(newer).check(host)];
    expect(found?.metadata.annotations).toHaveProperty(['slipway.dev/replaces-job']);
    expect(job).toMatchObject({ state: 'Waiting', reason: 'ChartInProgress' });
    host.advance(1_000);
    expect(await chartOf(newer).check(host)).toMatchObject({ message: 'release cert-manager, revision 2' });
  });

  test('loses a field that the wanted chart no longer has', async () => {
    await applied(wishing({ timeout: '10m0s' }));
    expect(await pass()).toMatchObject({
      drift: { changes: [{ field: 'timeout', observed: '10m0s', desired: undefined }] },
    });
    host.advance(1_000);
    expect(await chartOf(wish).check(host)).toMatchObject({ state: 'InSync' });
    expect(stored()?.spec).not.toHaveProperty('timeout');
  });

  test('shows values in a change only as a digest', async () => {
    await applied();
    const finding = await pass(wishing({ valuesContent: '{ "password": "canary" }\n' }));
    expect(JSON.stringify(finding)).not.toContain('canary');
    expect(finding).toMatchObject({ drift: { changes: [{ desired: expect.stringMatching(/^sha256:/) }] } });
  });

  test.each([
    ['an archive', 'https://team:canary@example.com/app.tgz'],
    ['an archive with an @ in the password', 'https://team:p@canary@example.com/app.tgz'],
    ['an archive with a signature', 'https://example.com/app.tgz?sig=canary'],
  ])('shows no login in the former address of %s', async (_, chart) => {
    await applied(wishing({ chart }));
    const finding = await pass();
    expect(finding).toMatchObject({
      drift: { changes: [{ field: 'chart', observed: 'https://example.com/app.tgz' }] },
    });
  });

  test('whose release is deployed stays in its namespace, where K3s would leave the release', async () => {
    await applied();
    const error = await failure(pass(wishing({ targetNamespace: 'certs' })));
    expect(error).toMatchObject({ reason: 'ChartMoved', endedBy: 'person' });
    expect(error.message).toContain('namespace: cert-manager');
    expect(stored()?.spec).toMatchObject({ targetNamespace: 'cert-manager' });
  });

  test('without a release moves to another namespace', async () => {
    api.helm = () => ({ result: 'failed', message: '' });
    await failure(applied());
    expect(await pass(wishing({ targetNamespace: 'certs' }))).toMatchObject({ state: 'Drifted' });
    expect(stored()?.spec).toMatchObject({ targetNamespace: 'certs' });
  });

  test('that lost its label gets it back, and needs no new job', async () => {
    await applied();
    edit('kubectl-edit', { metadata: { name: 'cert-manager', namespace: 'kube-system' } });
    const found = stored();
    const metadata = { ...found?.metadata, name: 'cert-manager', labels: {} };
    api.objects.put('helmcharts.helm.cattle.io', 'kube-system', { ...found, metadata } as ApiObject);
    expect((await pass()).state).toBe('Drifted');
    expect(await chartOf(wish).check(host)).toMatchObject({ state: 'InSync' });
  });

  test('that a person created with the same fields is adopted without a new job', async () => {
    const made = {
      apiVersion: 'helm.cattle.io/v1',
      kind: 'HelmChart',
      metadata: { name: 'cert-manager', namespace: 'kube-system' },
      spec: wish.spec,
    };
    api.objects.put('helmcharts.helm.cattle.io', 'kube-system', updatedBy('kubectl', undefined, made));
    host.advance(1_000);
    expect((await pass()).state).toBe('Drifted');
    expect(await chartOf(wish).check(host)).toMatchObject({ message: 'release cert-manager, revision 1' });
  });

  test('whose field another program changed is left alone, and the error names the program', async () => {
    await applied();
    edit('kubectl-edit', { spec: { version: 'v1.19.0' } });
    const error = await failure(pass());
    expect(error).toMatchObject({ reason: 'ChartOwned', endedBy: 'person' });
    expect(error.message).toContain('"kubectl-edit"');
    expect(stored()?.spec).toMatchObject({ version: 'v1.19.0' });
  });

  test('keeps the fields of other programs', async () => {
    await applied();
    edit('kubectl-edit', { spec: { jobImage: 'mirror.example.com/klipper-helm:v0.9.10' } });
    host.advance(1_000);
    expect(await chartOf(wish).check(host)).toMatchObject({ state: 'InSync' });
  });

  test('that K3s ignores because of the annotation unmanaged is an error, unless the wanted chart has the annotation', async () => {
    const annotations = { 'helmcharts.helm.cattle.io/unmanaged': 'true' };
    await applied();
    edit('kubectl-annotate', { metadata: { name: 'cert-manager', namespace: 'kube-system', annotations } });
    expect(await failure(chartOf(wish).check(host))).toMatchObject({ reason: 'ChartOwned' });
    const handedOver = { ...wish, annotations };
    await pass(handedOver);
    expect(await chartOf(handedOver).check(host)).toMatchObject({ state: 'InSync' });
  });

  test('that is being uninstalled is waited for, and then applied again', async () => {
    await applied();
    await host.send({ method: 'DELETE', url: `${server}${chartPath('cert-manager')}`, trust: trust() });
    expect(await chartOf(wish).check(host)).toMatchObject({ state: 'Waiting', reason: 'ChartInProgress' });
    host.advance(1_000);
    expect(await pass()).toMatchObject({ drift: { changes: [{ field: 'HelmChart' }] } });
    expect(api.objects.list('secrets')).toEqual([]);
  });

  test('with a policy that the API does not know is refused', async () => {
    const spec = { ...wish.spec, failurePolicy: 'sometimes' };
    const wished = { ...wish, spec } as unknown as WishedChart;
    expect(await failure(pass(wished))).toMatchObject({
      reason: 'ApiRejected',
      message: expect.stringContaining('supported values: "abort", "reinstall", "retry"'),
    });
  });

  test('with a field that this K3s does not know is refused, and the error quotes the field', async () => {
    const spec = { ...wish.spec, novelty: true };
    expect(await failure(pass({ ...wish, spec }))).toMatchObject({
      reason: 'ApiRejected',
      message: expect.stringContaining('.spec.novelty: field not declared in schema'),
    });
  });

  function trust() {
    return {
      ca: authority.certificate,
      identity: { certificate: admin.certificate, key: admin.key },
    } as never;
  }
});

describe('a release', () => {
  test('is judged by the newest pod of its job, and not by one whose node is gone', async () => {
    api.helm = () => ({ result: 'running' });
    await applied();
    const newest = api.objects.list('pods')[0];
    const metadata = { ...newest?.metadata, name: 'a-pod-of-a-lost-node', namespace: 'kube-system' };
    const lost = { ...metadata, creationTimestamp: '2020-01-01T00:00:00Z' };
    const containerStatuses = [{ restartCount: 0, state: { terminated: { exitCode: 137 } } }];
    api.objects.put('pods', 'kube-system', {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: lost },
      status: { containerStatuses },
    });
    expect(await chartOf(wish).check(host)).toMatchObject({ state: 'Waiting', reason: 'ChartInProgress' });
  });

  test.each<[string, HelmRun, string]>([
    [
      'without a repository',
      { result: 'failed', message: '' },
      'K3s tries again; helm ended with exit code 1',
    ],
    [
      'with values that the schema refuses',
      { result: 'failed', message: 'Installing helm chart\n' },
      'after: Installing helm chart',
    ],
    [
      'whose image cannot be pulled',
      {
        result: 'waiting',
        reason: 'ImagePullBackOff',
        message: 'Back-off pulling image "rancher/klipper-helm"',
      },
      'its pod does not start: ImagePullBackOff: Back-off pulling image',
    ],
  ])('%s fails, with the message of the pod and the command that prints the log', async (_, run, words) => {
    api.helm = () => run;
    const error = await failure(applied());
    expect(error).toMatchObject({ reason: 'ChartFailed', endedBy: 'time' });
    expect(error.message).toContain(words);
    expect(error.message).toContain('k3s kubectl logs -n kube-system job/helm-install-cert-manager');
  });

  test('that has failed with the policy abort waits for a person, and is upgraded with the policy retry', async () => {
    api.helm = () => ({ result: 'failed', message: 'Installing helm chart\n', release: 'failed' });
    await failure(applied());
    host.advance(minute);
    const error = await failure(chartOf(wish).check(host));
    expect(error).toMatchObject({ reason: 'ChartFailed', endedBy: 'person' });
    expect(error.message).toContain('waiting for operator intervention');
    api.helm = () => deployed;
    host.advance(minute);
    expect(await failure(chartOf(wish).check(host))).toMatchObject({ endedBy: 'person' });
    expect(await applied(wishing({ failurePolicy: 'retry' }))).toMatchObject({
      message: 'release cert-manager, revision 2',
    });
  });

  test('is in progress while helm runs, and counts as a running job until the timeout of the chart', async () => {
    api.helm = () => ({ result: 'running' });
    expect(await applied()).toMatchObject({ state: 'Waiting', reason: 'ChartInProgress', isJob: true });
    host.advance(9 * minute);
    expect(await chartOf(wish).check(host)).toMatchObject({ isJob: true });
    host.advance(2 * minute);
    expect(await chartOf(wish).check(host)).toMatchObject({ state: 'Waiting', isJob: false });
  });

  test('whose pod has no node is in progress, with the message of the scheduler', async () => {
    const message = '0/1 nodes are available: 1 node(s) had untolerated taint';
    api.helm = () => ({ result: 'unschedulable', message });
    expect(await applied()).toMatchObject({
      reason: 'ChartInProgress',
      message: expect.stringContaining(`its pod waits for a node: ${message}`),
      isJob: false,
    });
  });

  test('whose job has given up fails, with the message of the job', async () => {
    api.helm = () => ({ result: 'running' });
    await applied();
    const job = api.objects.get('jobs.batch', 'kube-system', 'helm-install-cert-manager');
    const condition = {
      type: 'Failed',
      status: 'True',
      message: 'Job has reached the specified backoff limit',
    };
    api.objects.put('jobs.batch', 'kube-system', {
      ...job,
      status: { conditions: [condition] },
    } as ApiObject);
    expect(await failure(chartOf(wish).check(host))).toMatchObject({
      reason: 'ChartFailed',
      endedBy: 'person',
      message: expect.stringContaining('Job has reached the specified backoff limit'),
    });
  });

  test('is installed again when a Secret with values, or a HelmChartConfig, changes', async () => {
    const wished = wishing({ valuesSecrets: [{ name: 'app-values', keys: ['values.yaml'] }] });
    await applied(wished);
    for (const revision of [2, 3]) {
      const metadata = { name: 'app-values', namespace: 'kube-system' };
      const data = { 'values.yaml': String(revision) };
      api.objects.put('secrets', 'kube-system', { apiVersion: 'v1', kind: 'Secret', metadata, data });
      host.advance(1_000);
      expect(await chartOf(wished).check(host)).toMatchObject({
        message: `release cert-manager, revision ${revision}`,
      });
    }
    const config = {
      apiVersion: 'helm.cattle.io/v1',
      kind: 'HelmChartConfig',
      metadata: { name: 'cert-manager', namespace: 'kube-system' },
      spec: { valuesContent: 'replicas: 2' },
    };
    api.objects.put('helmchartconfigs.helm.cattle.io', 'kube-system', config);
    host.advance(1_000);
    expect(await chartOf(wished).check(host)).toMatchObject({ message: 'release cert-manager, revision 4' });
  });

  test('of a HelmChart from which K3s makes no job fails with the words of its status', async () => {
    api.helm = undefined;
    await pass();
    const message = 'Failed to generate Job: timed out';
    const status = { conditions: [{ type: 'Failed', status: 'True', message }] };
    const found = { ...stored(), status } as ApiObject;
    api.objects.put('helmcharts.helm.cattle.io', 'kube-system', found);
    expect(await failure(chartOf(wish).check(host))).toMatchObject({
      reason: 'ChartFailed',
      message: expect.stringContaining(`K3s makes no job of it: ${message}`),
    });
  });

  test('is in progress while K3s has not replaced the job of the former settings, with the command that helps', async () => {
    await applied();
    api.helm = undefined;
    await pass(wishing({ version: 'v1.21.0' }));
    host.advance(minute);
    expect(await chartOf(wishing({ version: 'v1.21.0' })).check(host)).toMatchObject({
      state: 'Waiting',
      message: expect.stringContaining('k3s kubectl delete job -n kube-system helm-install-cert-manager'),
    });
  });

  test.each([
    ['is gone', () => api.objects.remove('secrets', 'cert-manager', 'sh.helm.release.v1.cert-manager.v1')],
    ['is not deployed', () => release(2, { status: 'pending-upgrade' })],
    [
      'was made by another program',
      () => release(2, { status: 'deployed', 'helmcharts.helm.cattle.io/configHash': 'another' }),
    ],
  ])('that %s is in progress, because K3s installs it again', async (_, change) => {
    await applied();
    change();
    api.helm = undefined;
    expect(await chartOf(wish).check(host)).toMatchObject({
      state: 'Waiting',
      message: expect.stringContaining('installs the chart cert-manager again, because'),
    });
  });

  test('is judged by its newest revision, not by the last in the list', async () => {
    await applied();
    api.helm = undefined;
    for (const version of [2, 9, 10]) {
      release(version, { status: version === 10 ? 'failed' : 'superseded' });
    }
    expect(await chartOf(wish).check(host)).toMatchObject({
      message: expect.stringContaining('revision 10'),
    });
  });

  test('is judged without Secrets that have labels of helm but no revision number', async () => {
    await applied();
    api.helm = undefined;
    const labels = { owner: 'helm', name: 'cert-manager', status: 'failed' };
    const metadata = { name: 'zzz', namespace: 'cert-manager', labels };
    api.objects.put('secrets', 'cert-manager', { apiVersion: 'v1', kind: 'Secret', metadata });
    expect(await chartOf(wish).check(host)).toMatchObject({ message: 'release cert-manager, revision 1' });
  });

  test('without a hash, as older K3s releases create it, is judged by its status and job', async () => {
    await applied();
    release(1, { status: 'deployed' });
    expect(await chartOf(wish).check(host)).toMatchObject({ state: 'InSync' });
  });
});

test('a check reports a HelmChart as missing while K3s does not serve the HelmChart API yet', async () => {
  host.onRequest({ url: (url) => url.includes('/helmcharts/') }, { status: 404, body: '{}' });
  expect(await chartOf(wish).check(host)).toMatchObject({ drift: { changes: [{ field: 'HelmChart' }] } });
});
