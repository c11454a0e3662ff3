import { expect, test } from 'vitest';
import type { Resource } from '../../../../../../src/agent/engine/resource.ts';
import { unlessCopying } from '../../../../../../src/agent/parts/k3s/datastore/unless-copying.ts';
import { aNode, outcome } from '../../../a-node.ts';
import { aServer, paths } from './a-datastore.ts';

const restart: Resource = {
  id: 'Service/k3s',
  summary: 'restart',
  condition: 'K3sRunning',
  check: async () => ({
    state: 'Drifted',
    drift: {
      changes: [{ field: 'config', observed: 'changed', desired: 'as K3s started' }],
      remedy: async () => {},
    },
  }),
};

test.each([
  ['waits while the datastore of a running K3s is copied', 'active', true, 'Waiting InProgress'],
  ['does not wait if no copy runs', 'active', false, 'Drifted config'],
  ['does not wait if K3s does not run', 'inactive', true, 'Drifted config'],
])('a change of K3s %s', async (_, ActiveState, isCopying, expected) => {
  const { host } = aServer({ ActiveState });
  host.jobs.lasting = 60_000;
  if (isCopying) {
    const job = { trace: paths.slipway.datastoreCopy, what: 'copy the datastore', subject: 'upgrade' };
    await expect(host.perform(job, async () => '')).rejects.toMatchObject({ name: 'Underway' });
  }
  expect(await outcome(unlessCopying(aNode('server'), restart), host)).toBe(expected);
});
