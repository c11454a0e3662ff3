import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../integration/host/folder.ts';
import { kubectl } from '../lab/standins/kubectl.ts';

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
