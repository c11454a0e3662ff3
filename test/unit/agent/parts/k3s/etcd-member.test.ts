import { describe, expect, test } from 'vitest';
import { etcdMember } from '../../../../../src/agent/parts/k3s/etcd-member.ts';
import { memoryHost, unreachable } from '../../../../lab/memory-host.ts';
import { aCluster, putNode } from '../../a-cluster.ts';
import { aNode, outcome } from '../../a-node.ts';

const url = 'http://127.0.0.1:2381/health';
const wal = '/var/lib/rancher/k3s/server/db/etcd/member/wal';
const minute = 60_000;

/** Returns the outcome on a server with etcd whose Node has this condition for `age` milliseconds. */
async function seen(voter: object | undefined, age = 0, health: string | Error = '{"health":"true"}') {
  const host = memoryHost({ files: { [wal]: '' } }).onGet(url, health);
  const lastTransitionTime = new Date(host.now() - age).toISOString();
  const conditions = voter === undefined ? [] : [{ type: 'EtcdIsVoter', lastTransitionTime, ...voter }];
  putNode(aCluster(host), { status: { conditions } });
  return outcome(etcdMember(aNode('server'), []), host);
}

const learner = { status: 'False', reason: 'MemberIsLearner' };
const lost = '{"health":"false","reason":"RAFT NO LEADER"}';

describe('etcdMember', () => {
  test.each([
    ['a voter', { status: 'True', reason: 'MemberNotLearner' }, 60 * minute, 'InSync'],
    ['a learner that catches up', learner, 5 * minute, 'InSync'],
    ['a learner that does not catch up', learner, 6 * minute, 'EtcdLearnerBehind (person, non-blocking)'],
    ['a Node without the condition', undefined, 0, 'InSync'],
  ] as const)('judges %s', async (_, voter, age, expected) => {
    expect(await seen(voter, age)).toBe(expected);
  });

  test.each([
    ['reports etcd without a leader', lost, 'QuorumLost (person, non-blocking)'],
    ['leaves an alarm to others', '{"health":"false","reason":"ALARM NOSPACE"}', 'InSync'],
    ['does not judge etcd that does not answer', unreachable(url), 'InSync'],
    ['does not judge another answer', 'not found', 'InSync'],
  ] as const)('%s', async (_, health, expected) => {
    expect(await seen(undefined, 0, health)).toBe(expected);
  });

  test('asks nothing without etcd on the disk', async () => {
    expect(await outcome(etcdMember(aNode('server'), []), memoryHost())).toBe('InSync');
  });
});
