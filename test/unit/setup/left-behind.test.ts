import { describe, expect, test } from 'vitest';
import { nodePaths } from '../../../src/agent/paths.ts';
import { installedK3s, k3sLeftBehind, leftBehind } from '../../../src/setup/left-behind.ts';
import { serveMemoryApi } from '../../lab/memory-api.ts';
import { issue, makeAuthority } from '../../lab/standins/k3s-certificates.ts';
import { kubeconfig } from '../../lab/standins/k3s-kubeconfig.ts';
import { aHost } from './a-host.ts';

const paths = nodePaths('/');

test('leftBehind lists the remaining files after K3s is removed', async () => {
  const host = aHost();
  expect(await leftBehind(host, paths, { k3s: true, purge: false, keepsK3s: false })).toEqual([
    'still there: /etc/slipway /var/lib/slipway /usr/local/bin/flux /etc/rancher/node',
  ]);
});

test('k3sLeftBehind lists the copies of the datastore, which contain the Secrets of the cluster', async () => {
  const host = aHost();
  host.files.write('/var/lib/slipway/backup/state-20260101T000000Z.db', '');
  expect(await k3sLeftBehind(host, paths)).toEqual([
    'still there: /etc/rancher/node /var/lib/slipway/backup',
  ]);
});

test('leftBehind lists what a remaining K3s needs, and what happens to its registry logins', async () => {
  const host = aHost();
  host.files.write('/var/lib/slipway/imds-guard.nft', '');
  expect(await leftBehind(host, paths, { k3s: false, purge: true, keepsK3s: true })).toEqual([
    'K3s stays, and needs what stays with it: /var/lib/slipway/join-token /var/lib/slipway/imds-guard.nft',
    'pods are kept from the metadata service by slipway-imds-guard.service, which stays too; to take that down: systemctl disable --now slipway-imds-guard.service; nft delete table inet slipway_imds',
    'registry logins in /etc/rancher/k3s/registries.yaml are no longer renewed, and work for three hours at most',
    'kubelet asks Slipway for logins, in vain, until K3s is restarted: systemctl restart k3s.service',
    'to remove K3s later, install Slipway again, and then: slipway uninstall --k3s',
    'still there: /usr/local/bin/flux /etc/rancher/node',
  ]);
});

test('leftBehind lists the Secrets and charts that stay in a cluster, with the commands that delete them', async () => {
  const host = aHost();
  const server = 'https://127.0.0.1:6443';
  const authority = makeAuthority('k3s-client-ca');
  const admin = issue(authority, { commonName: 'system:admin' });
  host.files.write(paths.k3s.kubeconfig, kubeconfig({ server, ca: authority.certificate, ...admin }));
  const api = serveMemoryApi(host, server, {
    [admin.certificate]: { name: 'system:admin', groups: ['system:masters'] },
  });
  const lines = async () =>
    (await leftBehind(host, paths, { k3s: false, purge: false, keepsK3s: true })).join('\n');
  expect(await lines()).not.toContain('Secrets');
  const metadata = {
    name: 'cloudflare',
    namespace: 'cert-manager',
    labels: { 'slipway.dev/part-of': 'workloads' },
  };
  api.objects.put('secrets', 'cert-manager', { apiVersion: 'v1', kind: 'Secret', metadata });
  expect(await lines()).toContain(
    'Secrets stay in the cluster with their last values: cert-manager/cloudflare; to delete them: ' +
      'k3s kubectl delete secret --all-namespaces --selector slipway.dev/part-of=workloads',
  );
  expect(await lines()).not.toContain('charts');
  const chart = { ...metadata, name: 'cert-manager', namespace: 'kube-system' };
  const kind = { apiVersion: 'helm.cattle.io/v1', kind: 'HelmChart' };
  api.objects.put('helmcharts.helm.cattle.io', 'kube-system', { ...kind, metadata: chart });
  expect(await lines()).toContain(
    'charts stay in the cluster: cert-manager; to uninstall them with their data: ' +
      'k3s kubectl delete helmchart -n kube-system --selector slipway.dev/part-of=workloads',
  );
  api.isUp = () => false;
  expect(await lines()).not.toContain('Secrets');
});

test('leftBehind names the apt-get command that removes the package', async () => {
  const host = aHost();
  host.files.write('/usr/lib/systemd/system/slipway.service', '');
  const lines = await leftBehind(host, paths, { k3s: true, purge: true, keepsK3s: false });
  expect(lines.at(-1)).toBe(
    '/usr/lib/systemd/system/slipway.service is of the slipway package: apt-get remove slipway',
  );
});

describe('the remaining files of K3s', () => {
  const aside = '/var/lib/rancher/k3s.agent-20260101T120000Z';
  const lines = [
    'still there: /etc/rancher/node /var/log/pods',
    `K3s' data of an older role, with its keys and tokens, is still there: rm -r ${aside}`,
  ];

  test('include the logs of pods, and data that was moved aside', async () => {
    const host = aHost();
    host.files.write(`${aside}/server/tls/ca.key`, '');
    host.files.write('/var/lib/rancher/k3s.backup/mine', '');
    host.files.makeDirectory('/var/log/pods');
    expect(await k3sLeftBehind(host, paths)).toEqual(lines);
    const all = await leftBehind(host, paths, { k3s: true, purge: false, keepsK3s: false });
    expect(all).toContain(lines[1]);
    expect(all[0]).toContain('/var/log/pods');
  });

  test('do not include the logs of pods while K3s stays', async () => {
    const host = aHost();
    host.files.makeDirectory('/var/log/pods');
    const all = await leftBehind(host, paths, { k3s: false, purge: false, keepsK3s: true });
    expect(all.join('\n')).not.toContain('/var/log/pods');
  });
});

describe('installedK3s', () => {
  const unitFile = '/etc/systemd/system/k3s.service';

  test('finds K3s by its unit file', async () => {
    expect(await installedK3s(aHost(), paths)).toBe('k3s.service');
  });

  test('finds a running K3s whose unit file was deleted', async () => {
    const host = aHost();
    host.files.remove(unitFile);
    expect(await installedK3s(host, paths)).toBe('k3s.service');
    host.files.remove('/run/active/k3s.service');
    expect(await installedK3s(host, paths)).toBeUndefined();
  });

  test("does not find the machine's own running K3s below another root", async () => {
    expect(await installedK3s(aHost(), nodePaths('/image'))).toBeUndefined();
  });
});
