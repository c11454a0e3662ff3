import { expect, test } from 'vitest';
import { neededAtStart } from '../../../../../../../src/agent/parts/k3s/membership/founding/needed-at-start.ts';
import { nodePaths } from '../../../../../../../src/agent/paths.ts';
import { memoryHost } from '../../../../../../lab/memory-host.ts';
import { aNode } from '../../../../a-node.ts';

const paths = nodePaths('/');
const log = '/var/lib/rancher/k3s/server/db/etcd/member/wal';
const server = aNode('server', { settings: { k3s: { datastore: 'etcd' } } });

function machine(state?: string) {
  const record = JSON.stringify({ format: 1, state, at: 1 });
  return memoryHost({ files: state === undefined ? {} : { [paths.slipway.founding]: record } });
}

test.each([
  ['nothing decided yet, or a lost record', undefined, log],
  ['a claim under way', 'claiming', log],
  ['the decision to found the cluster', 'founds', undefined],
  ['a move from SQLite to etcd', 'migrates', undefined],
  ['a cluster', 'member', log],
])('a server that joins no other and has %s', async (_, state, needed) => {
  expect(await neededAtStart(machine(state), server)).toBe(needed);
});

test.each([
  ['a server that joins another one', { ...server, joins: 'https://10.0.0.6:6443' }],
  ['a server with SQLite', aNode('server')],
  ['an agent', aNode('agent', { settings: { k3s: { datastore: 'etcd' } } })],
])('%s needs no etcd on its disk to start', async (_, node) => {
  expect(await neededAtStart(machine('member'), node)).toBeUndefined();
});
