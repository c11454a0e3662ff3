import { expect, test } from 'vitest';
import { servedNameFault } from '../../../../../../src/agent/parts/k3s/certificates/served-name.ts';
import { memoryHost, unreachable } from '../../../../../lab/memory-host.ts';
import { issue, makeAuthority } from '../../../../../lab/standins/k3s-certificates.ts';
import { aNode } from '../../../a-node.ts';

const { settings } = aNode('server');
const port = 'https://127.0.0.1:6443';
const { certificate } = issue(makeAuthority('k3s-server-ca'), {
  commonName: 'k3s',
  hosts: ['k3s.example.com', '203.0.113.5'],
});

test.each(['https://k3s.example.com:6443', 'https://203.0.113.5:6443'])(
  'the certificate of K3s is valid for %s, which it names',
  async (server) => {
    expect(await servedNameFault(memoryHost().onPeer(port, certificate), settings, server)).toBeUndefined();
  },
);

test.each([
  ['https://other.example.com:6443', 'other.example.com'],
  ['https://203.0.113.6:6443', '203.0.113.6'],
  ['https://[fd00::5]:6443', 'fd00::5'],
])('the setting tls-san is named if the certificate of K3s does not name %s', async (server, name) => {
  const fault = await servedNameFault(memoryHost().onPeer(port, certificate), settings, server);
  expect(fault).toContain(`does not name ${name}`);
  expect(fault).toContain(`Add ${name} to the list tls-san in k3s.config`);
});

test('the certificate is not checked while K3s does not answer, or shows a damaged one', async () => {
  const server = 'https://k3s.example.com:6443';
  for (const answer of [unreachable(port), 'damaged']) {
    const fault = await servedNameFault(memoryHost().onPeer(port, answer), settings, server);
    expect(fault).toContain('valid for k3s.example.com was not checked');
  }
});
