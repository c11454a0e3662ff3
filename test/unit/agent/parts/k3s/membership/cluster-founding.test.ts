import { describe, expect, test } from 'vitest';
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
      'InSync',
    ],
  ] as const)('reports $3 for a server $0', async (_name, host, changes, expected) => {
    expect(await outcome(clusterFounding(aNode('server', changes)), host)).toBe(expected);
  });
});

test('serverToJoin returns an error for a server with another server to join, but not for an agent', () => {
  expect(serverToJoin(aNode('agent'))).toBeUndefined();
  expect(serverToJoin(aNode('server', { server: other }))?.message).toContain(other);
});
