import { describe, expect, test } from 'vitest';
import { Routes } from '../../src/agent/host/http/http-agents.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { bring } from '../integration/host/bring.ts';
import { temporaryFolder } from '../integration/host/folder.ts';
import { serveTrick, tricks } from './impostors.ts';

// The deadline of a request in ms. A promise that never settles would exceed the far longer timeout of the test.
const timeout = 300;
const names = Object.keys(tricks) as readonly (keyof typeof tricks)[];
const failed = { reason: expect.stringMatching(/^(Unreachable|UnexpectedAnswer|TimedOut|TlsUntrusted)$/) };

describe('a request', () => {
  test.each(names)('fails when the server %s', async (name) => {
    const port = await serveTrick(tricks[name]);
    await expect(nodeHost().get({ url: `http://127.0.0.1:${port}/`, timeout })).rejects.toMatchObject(failed);
  });

  test.each(names)('fails when the server, in place of a TLS handshake, %s', async (name) => {
    const port = await serveTrick(tricks[name]);
    const request = { url: `https://127.0.0.1:${port}/ping`, trust: 'anybody', timeout } as const;
    await expect(nodeHost().get(request)).rejects.toMatchObject(failed);
  });
});

describe.each(['http', 'https'])('an %s request through a proxy', (scheme) => {
  test.each(names)('fails when the proxy %s', async (name) => {
    const host = nodeHost({ proxy: `http://127.0.0.1:${await serveTrick(tricks[name])}` });
    const request = { url: `${scheme}://vault.test/`, timeout };
    await expect(host.get(request)).rejects.toMatchObject(failed);
  });
});

describe('a download', () => {
  test.each(names)('fails when the server %s', async (name) => {
    const port = await serveTrick(tricks[name]);
    const url = `http://127.0.0.1:${port}/k3s`;
    const wanted = {
      ...{ url, checksum: { url, name: 'k3s' } },
      ...{ path: `${await temporaryFolder()}/k3s`, mode: 0o755 },
    };
    const limits = { stallAfter: timeout, endAfter: 2 * timeout };
    await expect(bring(wanted, { ...limits, routes: new Routes({}) })).rejects.toMatchObject({
      reason: expect.stringMatching(/^(DownloadFailed|Unreachable|UnexpectedAnswer)$/),
    });
  });
});
