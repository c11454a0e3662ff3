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

/** K3s does not run there. */
function machine(files = {}) {
  return memoryHost({ files }).on({ file: 'systemctl', args: /^show k3s.service/ }, 'ActiveState=inactive\n');
}

function answeringAt(server: string, files = {}) {
  return machine(files).onGet(`${server}/ping`, 'pong').onGet(`${server}/cacerts`, aCa());
}

describe('a server', () => {
  test.each([
    ['with nothing to join', machine(), {}, 'InSync'],
    ['that is to join another', machine(), { server: other }, 'ClusterExists (person)'],
    [
      'that is to join another, and has a cluster',
      machine(founded),
      { server: other },
      'ClusterExists (person, non-blocking)',
    ],
    ['that is named by its own address', machine(), { server: 'https://10.0.0.5:6443' }, 'InSync'],
    ['that is named by its own name', machine(), { server: 'https://vm-1:6443' }, 'InSync'],
    ['with an empty disk, beside one that answers', answeringAt(lb), named, 'ClusterExists (person)'],
    [
      'with an empty disk, beside one at a name in a drop-in',
      answeringAt(lb, dropIn),
      {},
      'ClusterExists (person)',
    ],
    ['with an empty disk, beside one of several names', answeringAt(lb), inOneText, 'ClusterExists (person)'],
    ['whose own name answers', answeringAt(lb, founded), named, 'InSync'],
    [
      'whose own name answers before it has written its token',
      answeringAt(lb).on({ file: 'systemctl', args: /^show k3s.service/ }, 'ActiveState=activating\n'),
      named,
      'InSync',
    ],
    [
      'with an empty disk, whose name leads nowhere',
      machine().onGet(`${lb}/ping`, unreachable(lb)),
      named,
      'InSync',
    ],
    ['beside what is no K3s server', machine().onGet(`${lb}/ping`, { status: 503 }), named, 'InSync'],
  ] as const)('%s', async (_name, host, changes, expected) => {
    expect(await outcome(clusterFounding(aNode('server', changes)), host)).toBe(expected);
  });
});

test('an agent has a server to join', () => {
  expect(serverToJoin(aNode('agent'))).toBeUndefined();
  expect(serverToJoin(aNode('server', { server: other }))?.message).toContain(other);
});
