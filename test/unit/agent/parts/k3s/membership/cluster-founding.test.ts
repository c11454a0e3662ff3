import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import { systemError } from '../../../../../../src/agent/host/files/file-errors.ts';
import {
  clusterFounding,
  serverToJoin,
} from '../../../../../../src/agent/parts/k3s/membership/cluster-founding.ts';
import { memoryHost, unreachable } from '../../../../../lab/memory-host.ts';
import { aNode, outcome } from '../../../a-node.ts';
import { aCa } from './certificates.ts';

const other = 'https://10.0.0.9:6443';
const founded = { '/var/lib/rancher/k3s/server/token': 'K10a::server:x' };
const named = { settings: { k3s: { config: { 'tls-san': ['k3s.example.com', '10.0.0.5', '*.bad name'] } } } };
const lb = 'https://k3s.example.com:6443';

const dropIn = { '/etc/rancher/k3s/config.yaml.d/a.yaml': 'tls-san+: [k3s.example.com]\n' };
const inOneText = { settings: { k3s: { config: { 'tls-san': 'vm-1,k3s.example.com' } } } };

/** Returns a machine on which K3s does not run. */
function machine(files = {}) {
  return memoryHost({ files }).on({ file: 'systemctl', args: /^show k3s.service/ }, 'ActiveState=inactive\n');
}

const late = new NodeError('TimedOut', 'It did not answer within 5 s.');

function failed(code: string): NodeError {
  return new NodeError('Unreachable', `Cannot reach it: ${code}.`, { cause: systemError(code) });
}

function answeringAt(server: string, files = {}) {
  return machine(files).onGet(`${server}/ping`, 'pong').onGet(`${server}/cacerts`, aCa());
}

describe('clusterFounding', () => {
  test.each([
    ['with nothing to join', machine(), {}, 'InSync'],
    ['with another server to join', machine(), { server: other }, 'ClusterExists (person)'],
    [
      'with a cluster and another server to join',
      machine(founded),
      { server: other },
      'ClusterExists (person, non-blocking)',
    ],
    ['with its own address as the server to join', machine(), { server: 'https://10.0.0.5:6443' }, 'InSync'],
    ['with its own name as the server to join', machine(), { server: 'https://vm-1:6443' }, 'InSync'],
    [
      'with an empty disk, if a server answers at its name in tls-san',
      answeringAt(lb),
      named,
      'ClusterExists (person)',
    ],
    [
      'with an empty disk, if a server answers at its name in a drop-in',
      answeringAt(lb, dropIn),
      {},
      'ClusterExists (person)',
    ],
    [
      'with an empty disk, if a server answers at one of the comma-separated names in tls-san',
      answeringAt(lb),
      inOneText,
      'ClusterExists (person)',
    ],
    ['with a cluster, if a server answers at its name in tls-san', answeringAt(lb, founded), named, 'InSync'],
    [
      'that answers at its name in tls-san before it has written its token',
      answeringAt(lb).on({ file: 'systemctl', args: /^show k3s.service/ }, 'ActiveState=activating\n'),
      named,
      'InSync',
    ],
    [
      'with an empty disk, if nothing answers at its name in tls-san',
      machine().onGet(`${lb}/ping`, unreachable(lb)),
      named,
      'InSync',
    ],
    [
      'with an empty disk, if its name in tls-san answers with status 503',
      machine().onGet(`${lb}/ping`, { status: 503 }),
      named,
      'Waiting FoundingWaits',
    ],
    [
      'with an empty disk, if its name in tls-san answers with another page',
      machine().onGet(`${lb}/ping`, { status: 404 }),
      named,
      'Waiting FoundingWaits',
    ],
    [
      'with an empty disk, if its name in tls-san has an untrusted certificate',
      machine().onGet(`${lb}/ping`, new NodeError('TlsUntrusted', 'no')),
      named,
      'Waiting FoundingWaits',
    ],
    [
      'with an empty disk, if its name in tls-san answers no ping in time, but has a certificate',
      machine().onGet(`${lb}/ping`, late).onPeer(lb, aCa()),
      named,
      'Waiting FoundingWaits',
    ],
    [
      'with an empty disk, if packets to its name in tls-san are lost',
      machine().onGet(`${lb}/ping`, late).onPeer(lb, failed('ETIMEDOUT')),
      named,
      'InSync',
    ],
    [
      'with an empty disk, if a balancer without a living server closes the connection to its name in tls-san',
      machine().onGet(`${lb}/ping`, failed('ECONNRESET')).onPeer(lb, failed('ECONNRESET')),
      named,
      'InSync',
    ],
    [
      'with an empty disk, if its name in tls-san accepts connections and hangs',
      machine().onGet(`${lb}/ping`, late).onPeer(lb, late),
      named,
      'Waiting FoundingWaits',
    ],
    [
      'with an empty disk, if no DNS server answers for its name in tls-san',
      machine().onGet(`${lb}/ping`, failed('EAI_AGAIN')),
      named,
      'Waiting FoundingWaits',
    ],
    [
      'with an empty disk, if its name in tls-san does not exist',
      machine().onGet(`${lb}/ping`, failed('ENOTFOUND')),
      named,
      'InSync',
    ],
    [
      'with an empty disk, if one of its names in tls-san answers oddly and another one as a server',
      answeringAt(lb).onGet('https://api.example.com:6443/ping', { status: 502 }),
      { settings: { k3s: { config: { 'tls-san': ['api.example.com', 'k3s.example.com'] } } } },
      'ClusterExists (person)',
    ],
    [
      'with a cluster, if its name in tls-san answers with status 503',
      machine(founded).onGet(`${lb}/ping`, { status: 503 }),
      named,
      'InSync',
    ],
  ] as const)('reports $3 for a server $0', async (_name, host, changes, expected) => {
    expect(await outcome(clusterFounding(aNode('server', changes)), host)).toBe(expected);
  });
});

test.each([
  ['answers with an error', { status: 503 }, 'take the name out of tls-san'],
  ['cannot be looked up', failed('EAI_AGAIN'), 'The name k3s.example.com does not resolve'],
  ['hangs', late, `${lb} neither answers nor refuses connections`],
] as const)('says what to do about a name in tls-san that %s', async (_, answer, expected) => {
  const host = machine().onGet(`${lb}/ping`, answer).onPeer(lb, late);
  const finding = await clusterFounding(aNode('server', named)).check(host);
  expect(finding).toMatchObject({ message: expect.stringContaining(expected) });
});

test('serverToJoin returns an error for a server with another server to join, but not for an agent', () => {
  expect(serverToJoin(aNode('agent'))).toBeUndefined();
  expect(serverToJoin(aNode('server', { server: other }))?.message).toContain(other);
});
