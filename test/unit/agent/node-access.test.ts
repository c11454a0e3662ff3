import { expect, test } from 'vitest';
import { kubeletAccess, nodeAccess } from '../../../src/agent/node-access.ts';
import { memoryHost } from '../../lab/memory-host.ts';
import { issue, makeAuthority } from '../../lab/standins/k3s-certificates.ts';
import { kubeconfig } from '../../lab/standins/k3s-kubeconfig.ts';
import { aNode } from './a-node.ts';

const { paths } = aNode('server');
const authority = makeAuthority('k3s-client-ca');
const files = Object.fromEntries(
  [paths.k3s.kubeconfig, paths.k3s.kubeletKubeconfig].map((path) => {
    const pair = issue(authority, { commonName: path });
    return [
      path,
      kubeconfig({ server: `https://127.0.0.1:${path.length}`, ca: authority.certificate, ...pair }),
    ];
  }),
);

test.each([
  ['a server', 'server', paths.k3s.kubeconfig],
  ['an agent', 'agent', paths.k3s.kubeletKubeconfig],
] as const)('nodeAccess has the broadest rights of %s', async (_, role, path) => {
  const { server } = await nodeAccess(memoryHost({ files }), aNode(role));
  expect(server).toBe(`https://127.0.0.1:${path.length}`);
});

test.each(['server', 'agent'] as const)(
  'kubeletAccess has the rights of kubelet on the role %s',
  async (role) => {
    const { server } = await kubeletAccess(memoryHost({ files }), aNode(role));
    expect(server).toBe(`https://127.0.0.1:${paths.k3s.kubeletKubeconfig.length}`);
  },
);

test.each(['server', 'agent'] as const)(
  'a node with the role %s has no access before K3s starts',
  async (role) => {
    await expect(nodeAccess(memoryHost(), aNode(role))).rejects.toMatchObject({ reason: 'ApiUnavailable' });
  },
);
