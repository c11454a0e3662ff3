import { describe, expect, test } from 'vitest';
import { clouds } from '../../../../../../src/agent/clouds/index.ts';
import { serverCa } from '../../../../../../src/agent/parts/k3s/membership/supervisor.ts';
import { memoryHost, type ResponseAnswer, unreachable } from '../../../../../lab/memory-host.ts';
import { failure } from '../../../a-node.ts';
import { aCa } from './certificates.ts';

const server = 'https://10.0.0.4:6443';
const ca = aCa();

describe('serverCa', () => {
  test.each([
    ['returns the CA of a server that answers', 'pong', ca, ca],
    [
      'throws ServerUnreachable if the server does not answer',
      unreachable(server),
      ca,
      'ServerUnreachable (time)',
    ],
    ['throws ServerNotReady while the server is starting', { status: 503 }, ca, 'ServerNotReady (time)'],
    ['throws ServerUnreachable if another program answers', 'hello', ca, 'ServerUnreachable (time)'],
    ['throws ServerNotReady if the server has no CA yet', 'pong', { status: 503 }, 'ServerNotReady (time)'],
    ['throws ServerNotReady if the server sends an empty CA', 'pong', '', 'ServerNotReady (time)'],
  ] as readonly [string, ResponseAnswer, ResponseAnswer, string][])(
    '%s',
    async (_name, ping, cacerts, expected) => {
      const host = memoryHost().onGet(`${server}/ping`, ping).onGet(`${server}/cacerts`, cacerts);
      await expect(serverCa(host, server, clouds.azure.hints).catch(failure)).resolves.toBe(expected);
    },
  );

  test.each([
    ['azure', 'the network security group lets TCP 6443 pass.'],
    ['static', 'every firewall on the way lets TCP 6443 pass.'],
  ] as const)('advises on %s to check that %s', async (cloud, words) => {
    const host = memoryHost().onGet(`${server}/ping`, 'hello');
    await expect(serverCa(host, server, clouds[cloud].hints)).rejects.toThrow(words);
  });

  test('bypasses the proxy, and accepts any certificate', async () => {
    const host = memoryHost();
    for (const path of ['ping', 'cacerts']) {
      host.onGet(`${server}/${path}`, (request) => {
        expect(request).toMatchObject({ direct: true, trust: 'anybody' });
        return path === 'ping' ? 'pong' : ca;
      });
    }
    await serverCa(host, server, clouds.azure.hints);
  });
});
