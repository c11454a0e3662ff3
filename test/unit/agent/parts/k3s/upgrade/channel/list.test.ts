import { expect, test } from 'vitest';
import { NodeError } from '../../../../../../../src/agent/engine/errors.ts';
import { askChannels } from '../../../../../../../src/agent/parts/k3s/upgrade/channel/list.ts';
import { memoryHost } from '../../../../../../lab/memory-host.ts';

const url = 'https://update.k3s.io/v1-release/channels';

function entry(name: string, latest?: string) {
  return { id: name, type: 'channel', links: { self: `${url}/${name}` }, name, ...(latest && { latest }) };
}

test('askChannels returns the newest release of each channel, and omits what is not a release', async () => {
  const host = memoryHost();
  const data = [
    entry('stable', 'v1.36.3+k3s1'),
    entry('v1.36', 'v1.36.4+k3s1'),
    entry('empty'),
    entry('odd', 'x'),
  ];
  host.onGet(url, JSON.stringify({ type: 'collection', data }));
  expect([...(await askChannels(host, url))]).toEqual([
    ['stable', 'v1.36.3+k3s1'],
    ['v1.36', 'v1.36.4+k3s1'],
  ]);
});

test.each([
  ['does not answer', new NodeError('Unreachable', 'Nothing listens there.'), 'Nothing listens there.'],
  ['answers with an error', { status: 503 }, 'It answers 503.'],
  ['answers with text that is not a list', '<html>', 'It answers something that is not a list of channels.'],
  [
    'redirects to http',
    { status: 302, headers: { location: 'http://mirror/' } },
    'It redirects from https to',
  ],
  [
    'has more channels than Slipway reads',
    JSON.stringify({ data: Array.from({ length: 501 }, (_, at) => entry(`v1.${at}`)) }),
    'not a list of channels',
  ],
])(
  'askChannels fails with ChannelUnreachable, and names the repair, if the server %s',
  async (_, answer, why) => {
    const host = memoryHost();
    host.onGet(url, answer);
    const asked = askChannels(host, url);
    await expect(asked).rejects.toMatchObject({ reason: 'ChannelUnreachable' });
    await expect(asked).rejects.toThrow(why);
    await expect(asked).rejects.toThrow('set k3s.channelUrl to a copy of the list, or k3s.version');
  },
);
