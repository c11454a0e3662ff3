import { expect, test } from 'vitest';
import { nodePaths } from '../../../src/agent/paths.ts';
import { leftBehind } from '../../../src/setup/left-behind.ts';
import { aHost } from './a-host.ts';

const paths = nodePaths('/');

test('without K3s it is told what stays', async () => {
  const host = aHost();
  expect(await leftBehind(host, paths, { k3s: true, purge: false, keepsK3s: false })).toEqual([
    'still there: /etc/slipway /var/lib/slipway /usr/local/bin/flux /etc/rancher/node',
  ]);
});

test('where K3s stays, what it needs, and what becomes of the registry logins', async () => {
  const host = aHost();
  host.files.write('/var/lib/slipway/imds-guard.nft', '');
  expect(await leftBehind(host, paths, { k3s: false, purge: true, keepsK3s: true })).toEqual([
    'K3s stays, and needs what stays with it: /var/lib/slipway/join-token /var/lib/slipway/imds-guard.nft',
    'pods are kept from the metadata service by slipway-imds-guard.service, which stays too',
    'registry logins in /etc/rancher/k3s/registries.yaml are no longer renewed, and work for three hours at most',
    'kubelet asks Slipway for logins, in vain, until K3s is restarted: systemctl restart k3s.service',
    'still there: /usr/local/bin/flux /etc/rancher/node',
  ]);
});

test("the package's own way is named", async () => {
  const host = aHost();
  host.files.write('/usr/lib/systemd/system/slipway.service', '');
  const lines = await leftBehind(host, paths, { k3s: true, purge: true, keepsK3s: false });
  expect(lines.at(-1)).toBe(
    '/usr/lib/systemd/system/slipway.service is of the slipway package: apt-get remove slipway',
  );
});
