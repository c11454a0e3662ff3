import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { readKubeconfig } from '../../../../src/agent/kubernetes/kubeconfig.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { issue, makeAuthority } from '../../../lab/standins/k3s-certificates.ts';
import { kubeconfig } from '../../../lab/standins/k3s-kubeconfig.ts';

const path = '/var/lib/rancher/k3s/agent/kubelet.kubeconfig';
const server = 'https://127.0.0.1:6444';
const authority = makeAuthority('k3s-client-ca');
const { certificate, key } = issue(authority, {
  commonName: 'system:node:vm-1',
  organization: 'system:nodes',
});
const ca = makeAuthority('k3s-server-ca').certificate;

test('readKubeconfig reads embedded certificates, and keeps the key secret', async () => {
  const host = memoryHost({ files: { [path]: kubeconfig({ server, ca, certificate, key }) } });
  const access = await readKubeconfig(host, path);
  expect(access).toMatchObject({ server, trust: { ca, identity: { certificate } } });
  expect(access.trust.identity?.key.reveal()).toBe(key);
  expect(JSON.stringify(access)).not.toContain(key.split('\n')[1]);
});

test('readKubeconfig reads certificates from the files that the kubeconfig names', async () => {
  const folder = '/var/lib/rancher/k3s/agent';
  const cluster = { server: `${server}/`, 'certificate-authority': `${folder}/server-ca.crt` };
  const user = {
    'client-certificate': `${folder}/client-kubelet.crt`,
    'client-key': `${folder}/client-kubelet.key`,
  };
  const files = {
    [path]: stringify({ clusters: [{ name: 'local', cluster }], users: [{ name: 'user', user }] }),
    [`${folder}/server-ca.crt`]: ca,
    [`${folder}/client-kubelet.crt`]: certificate,
    [`${folder}/client-kubelet.key`]: key,
  };
  const access = await readKubeconfig(memoryHost({ files }), path);
  expect(access).toMatchObject({ server, trust: { ca, identity: { certificate } } });
});

test('readKubeconfig returns the same access until a file changes', async () => {
  const host = memoryHost({ files: { [path]: kubeconfig({ server, ca, certificate, key }) } });
  const access = await readKubeconfig(host, path);
  expect(await readKubeconfig(host, path)).toBe(access);
  host.files.write(path, kubeconfig({ server: 'https://10.0.0.4:6443', ca, certificate, key }));
  expect(await readKubeconfig(host, path)).toMatchObject({ server: 'https://10.0.0.4:6443' });
});

test('readKubeconfig reads the certificate and the key again after K3s has renewed them', async () => {
  const host = memoryHost({ files: { [path]: kubeconfig({ server, ca, certificate, key }) } });
  await readKubeconfig(host, path);
  const renewed = issue(authority, { commonName: 'system:node:vm-1', organization: 'system:nodes' });
  host.files.write(path, kubeconfig({ server, ca, ...renewed }));
  const access = await readKubeconfig(host, path);
  expect(access.trust.identity?.certificate).toBe(renewed.certificate);
  host.files.write(path, kubeconfig({ server, ca, certificate: renewed.certificate, key }));
  await expect(readKubeconfig(host, path)).rejects.toMatchObject({ reason: 'ApiUnavailable' });
});

test('readKubeconfig reports a missing kubeconfig as ApiUnavailable', async () => {
  await expect(readKubeconfig(memoryHost(), path)).rejects.toMatchObject({
    reason: 'ApiUnavailable',
    message: `Cannot ask the Kubernetes API: ${path} does not exist yet; K3s writes it when it starts.`,
  });
});

const foreignKey = issue(authority, { commonName: 'other' }).key;

test.each([
  ['an empty file', ''],
  ['a file that is not YAML', '{'],
  ['a file with an unexpected structure', 'clusters: []'],
  ['an address without TLS', kubeconfig({ server: 'http://127.0.0.1:6444', ca, certificate, key })],
  ['a damaged certificate', kubeconfig({ server, ca, certificate: 'damaged', key })],
  ['a key that does not match the certificate', kubeconfig({ server, ca, certificate, key: foreignKey })],
])('readKubeconfig reports %s as ApiUnavailable, and shows no key', async (_, content) => {
  const host = memoryHost({ files: { [path]: content } });
  await expect(readKubeconfig(host, path)).rejects.toMatchObject({
    reason: 'ApiUnavailable',
    message: expect.stringMatching(/^Cannot ask the Kubernetes API: .* K3s writes/),
  });
});
