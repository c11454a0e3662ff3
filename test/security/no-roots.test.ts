import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { certificates } from '../integration/host/certificates.ts';
import { temporaryFolder } from '../integration/host/folder.ts';
import { endOf, source, startScript } from './process.ts';

test.each(['', '\0\0\0', 'no certificate'])(
  'a request with a CA bundle that has no certificate trusts no server: %j',
  async (ca) => {
    const world = certificates('localhost');
    const server = createServer({ key: world.key, cert: world.cert }, (_, response) => response.end('x'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close().closeAllConnections());
    const { port } = server.address() as AddressInfo;
    const extra = `${await temporaryFolder()}/world.pem`;
    await writeFile(extra, world.ca);
    const ask = (trust: object) =>
      endOf(
        startScript(
          `const { nodeHost } = await import(${JSON.stringify(source('agent/host/node-host.ts'))});
           const asked = nodeHost().get({ url: 'https://localhost:${port}/', ...${JSON.stringify(trust)} });
           console.log(await asked.then(({ status }) => status, ({ reason }) => reason));`,
          ['ignore', 'pipe', 'inherit'],
          { NODE_EXTRA_CA_CERTS: extra },
        ),
      );
    expect((await ask({ trust: { ca: world.ca } })).stdout).toBe('200\n');
    expect((await ask({ trust: { ca } })).stdout).toBe('TlsUntrusted\n');
    expect((await ask({ trust: { ca, anyName: true } })).stdout).toBe('TlsUntrusted\n');
  },
);
