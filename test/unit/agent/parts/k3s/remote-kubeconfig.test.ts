import { expect, test } from 'vitest';
import { readKubeconfig } from '../../../../../src/agent/kubernetes/kubeconfig.ts';
import { remoteKubeconfig } from '../../../../../src/agent/parts/k3s/remote-kubeconfig.ts';
import { nodePaths } from '../../../../../src/agent/paths.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { issue, makeAuthority } from '../../../../lab/standins/k3s-certificates.ts';
import { kubeconfig } from '../../../../lab/standins/k3s-kubeconfig.ts';

const ends = Date.UTC(2026, 11, 24);
const authority = makeAuthority('k3s-client-ca');
const { certificate, key } = issue(authority, {
  commonName: 'system:admin',
  organization: 'system:masters',
  validity: { from: Date.UTC(2025, 11, 24), ends },
});
const ca = makeAuthority('k3s-server-ca').certificate;
const paths = nodePaths('/');

test('a remote kubeconfig names another server, and keeps the certificates and the key', async () => {
  const server = 'https://127.0.0.1:6443';
  const files = { [paths.k3s.kubeconfig]: kubeconfig({ server, ca, certificate, key }) };
  const { content, until } = await remoteKubeconfig(memoryHost({ files }), paths, 'https://203.0.113.5:6443');
  expect(until).toBe(ends);
  expect(content.reveal()).toContain('server: https://203.0.113.5:6443\n');
  expect(content.reveal()).toContain('current-context: default\n');
  const copied = await readKubeconfig(
    memoryHost({ files: { '/remote.yaml': content.reveal() } }),
    '/remote.yaml',
  );
  expect(copied.server).toBe('https://203.0.113.5:6443');
  expect(copied.trust).toMatchObject({ ca, identity: { certificate } });
  expect(copied.trust.identity?.key.reveal()).toBe(key);
  expect(`${content}`).not.toContain(Buffer.from(key).toString('base64'));
});

test('there is no remote kubeconfig before the first start of K3s', async () => {
  await expect(remoteKubeconfig(memoryHost(), paths, 'https://a:6443')).rejects.toMatchObject({
    reason: 'ApiUnavailable',
  });
});
