import { describe, expect, test } from 'vitest';
import { channelProbes } from '../../../../../../../src/agent/parts/k3s/upgrade/channel/probes.ts';
import { memoryHost } from '../../../../../../lab/memory-host.ts';
import { aNode } from '../../../../a-node.ts';

const url = 'https://update.k3s.io/v1-release/channels';

function following(role: 'server' | 'agent', channel: string) {
  return aNode(role, { version: channel, settings: { k3s: { channel, version: undefined } } });
}

/** Returns a host on which the channel server has only the channel `stable`. */
function answering() {
  const host = memoryHost();
  host.onGet(url, JSON.stringify({ data: [{ name: 'stable', latest: 'v1.36.4+k3s1' }] }));
  return host;
}

describe('the probe of the channel', () => {
  test.each([
    ['reports the release of the channel', 'stable', { level: 'ok', message: 'stable is at v1.36.4+k3s1' }],
    [
      'fails if the channel does not exist',
      'v1.99',
      { level: 'failure', message: `${url} has no channel v1.99.` },
    ],
  ])('%s', async (_, channel, verdict) => {
    const [probe] = channelProbes({ host: answering(), node: following('server', channel) });
    expect(await probe?.look()).toMatchObject(verdict);
  });

  test.each([
    ['a server without a channel', aNode('server')],
    ['an agent, which follows its server', following('agent', 'stable')],
    ['an unknown node', undefined],
  ])('is absent on %s', (_, node) => {
    expect(channelProbes({ host: answering(), node })).toEqual([]);
  });
});
