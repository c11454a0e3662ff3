import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../integration/host/folder.ts';
import { kubectl } from '../lab/standins/kubectl.ts';
import { nodeTable } from '../lab/standins/kubectl-nodes.ts';

/** Runs a server that never answers; returns its kubeconfig, and a function that counts its connections. */
async function silentServer() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) {
      socket.destroy();
    }
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const path = `${await temporaryFolder()}/kubeconfig`;
  await writeFile(path, JSON.stringify({ clusters: [{ cluster: { server: `https://127.0.0.1:${port}` } }] }));
  return { path, asked: () => sockets.length };
}

// The real kubectl cancels a request after --request-timeout; for `get node`, it gives up after five requests.
test.each([
  ['an object', ['get', 'node', 'vm-1', '-o', 'json'], 5],
  ['a path', ['get', '--raw', '/readyz'], 1],
])(
  'the kubectl stand-in gives up on a silent server after as many requests as the real kubectl: get %s',
  async (_, args, requests) => {
    const { path, asked } = await silentServer();
    const options = ['--kubeconfig', path, '--request-timeout=50ms'];
    expect(await kubectl([...options, ...args], 'v1.36.3+k3s1', path)).toBe(1);
    expect(asked()).toBe(requests);
  },
);

test('the kubectl stand-in shows Nodes in the table of the real kubectl', () => {
  const now = Date.parse('2026-11-30T12:00:00Z');
  const node = (
    name: string,
    ready: string | undefined,
    creationTimestamp: string,
    labels = {},
    spec = {},
  ) => ({
    metadata: { name, creationTimestamp, labels },
    spec,
    status: {
      nodeInfo: { kubeletVersion: 'v1.36.3+k3s1' },
      conditions: ready === undefined ? [] : [{ type: 'Ready', status: ready }],
    },
  });
  const server = { 'node-role.kubernetes.io/etcd': 'true', 'node-role.kubernetes.io/control-plane': 'true' };
  const nodes = [
    node('vm-agent', 'Unknown', '2026-11-30T11:58:01Z', {}, { unschedulable: true }),
    node('vm-server-1', 'True', '2026-11-30T11:52:30Z', server),
    node('vm-2', undefined, '2026-11-30T08:00:00Z'),
  ];
  expect(
    nodeTable(nodes, now),
  ).toBe(`NAME          STATUS                        ROLES                AGE     VERSION
vm-agent      NotReady,SchedulingDisabled   <none>               119s    v1.36.3+k3s1
vm-server-1   Ready                         control-plane,etcd   7m30s   v1.36.3+k3s1
vm-2          Unknown                       <none>               4h      v1.36.3+k3s1
`);
});
