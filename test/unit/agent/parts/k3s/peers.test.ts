import { expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { peersProbe } from '../../../../../src/agent/parts/k3s/peers.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aNode } from '../../a-node.ts';

const hints = { firewall: 'the moat' };
const refused = { status: 401, body: 'Unauthorized' };

function unreachable(message: string) {
  return new NodeError('Unreachable', message);
}

test('the probe of an agent accepts any answer of its server and of its kubelet', async () => {
  const host = memoryHost()
    .onGet('https://10.0.0.4:6443/ping', 'pong')
    .onGet('https://10.0.0.4:10250/healthz', refused);
  expect(await peersProbe(host, aNode('agent'), hints).look()).toEqual({
    level: 'ok',
    message: '2 of 2 answer',
  });
});

test.each([
  ['a rejecting rule', unreachable('connect EHOSTUNREACH 10.0.0.4:10250'), 'no route to host: a firewall of'],
  ['nothing that listens', unreachable('connect ECONNREFUSED 10.0.0.4:10250'), 'the connection is refused'],
  ['a rule that drops', new NodeError('TimedOut', 'No answer in time.'), 'no answer: a firewall drops'],
])('the probe of an agent reports a peer behind %s', async (_, error, words) => {
  const host = memoryHost()
    .onGet('https://10.0.0.4:6443/ping', 'pong')
    .onGet('https://10.0.0.4:10250/healthz', error);
  expect(await peersProbe(host, aNode('agent'), hints).look()).toMatchObject({
    level: 'warning',
    message: expect.stringContaining(`10.0.0.4:10250 (${words}`),
    repair: expect.stringContaining('on 10.0.0.4: sudo slipway doctor'),
  });
});

test('the probe of a server asks the kubelet of every other node', async () => {
  const host = memoryHost()
    .on({ file: 'k3s' }, '10.0.0.5\n10.0.0.6\nfd00::7\nnot an address\n')
    .onGet('https://10.0.0.6:10250/healthz', refused)
    .onGet('https://[fd00::7]:10250/healthz', unreachable('connect EHOSTUNREACH fd00::7'));
  expect((await peersProbe(host, aNode('server'), hints).look()).message).toBe(
    '[fd00::7]:10250 (no route to host: a firewall of that node rejects, or it is off)',
  );
});

test.each([
  ['while its role is unknown', undefined],
  ['of a server whose API does not answer', aNode('server')],
  ['of a server below another root', aNode('server', { root: '/mnt' })],
])('no peer is probed %s', async (_, node) => {
  const host = memoryHost().on({ file: 'k3s' }, { exitCode: 1, stderr: 'connection refused' });
  expect(await peersProbe(host, node, hints).look()).toMatchObject({ level: 'skipped' });
});
