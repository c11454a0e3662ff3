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
    ['answers', 'pong', ca, ca],
    ['does not answer', unreachable(server), ca, 'ServerUnreachable (time)'],
    ['is starting', { status: 503 }, ca, 'ServerNotReady (time)'],
    ['is not K3s', 'hello', ca, 'ServerUnreachable (time)'],
    ['has no CA yet', 'pong', { status: 503 }, 'ServerNotReady (time)'],
    ['has an empty CA', 'pong', '', 'ServerNotReady (time)'],
  ] as readonly [string, ResponseAnswer, ResponseAnswer, string][])(
    'returns the CA only of a K3s server that is up: one that %s',
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
