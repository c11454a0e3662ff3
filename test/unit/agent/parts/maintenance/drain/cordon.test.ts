import { beforeEach, describe, expect, test } from 'vitest';
import type { Finding } from '../../../../../../src/agent/engine/resource.ts';
import {
  cordonReturned,
  cordonStep,
  uncordonStep,
} from '../../../../../../src/agent/parts/maintenance/drain/cordon.ts';
import { turnKeys } from '../../../../../../src/agent/parts/maintenance/turn/annotations.ts';
import type { MemoryApi } from '../../../../../lab/memory-api.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { updatedBy } from '../../../../../lab/standins/k3s-apply.ts';
import { aCluster, putNode } from '../../../a-cluster.ts';
import { aNode, settle } from '../../../a-node.ts';

const node = aNode('agent');
const key = 'slipway.dev/cordon';

let host: MemoryHost;
let api: MemoryApi;

beforeEach(() => {
  host = memoryHost();
  api = aCluster(host);
  putNode(api, { spec: { taints: [] } });
});

/** Carries out steps until no step is left; returns their summaries. */
async function all(next: () => Promise<Finding | undefined>): Promise<readonly string[]> {
  const done: string[] = [];
  for (let found = await next(); found !== undefined && done.length < 5; found = await next()) {
    if (found.state !== 'Drifted') {
      return [...done, found.state === 'Waiting' ? found.reason : found.state];
    }
    done.push(found.drift.summary ?? '');
    await found.drift.remedy(host);
  }
  return done;
}

function cordon(why = 'upgrade v1.36.4+k3s1') {
  return all(() => cordonStep(host, node, why));
}

function uncordon() {
  return all(() => uncordonStep(host, node));
}

/** Cordons or uncordons the Node as kubectl does. */
function kubectl(verb: 'cordon' | 'uncordon'): void {
  const live = api.objects.get('nodes', undefined, 'vm-1');
  if (live === undefined) {
    throw new Error('no Node');
  }
  const { unschedulable: _, ...spec } = Object(live.spec);
  const bare = { ...live, spec };
  api.objects.put(
    'nodes',
    undefined,
    verb === 'uncordon'
      ? withoutManager(bare)
      : updatedBy('kubectl-cordon', bare, { ...bare, spec: { ...spec, unschedulable: true } }),
  );
}

function withoutManager(live: NonNullable<ReturnType<MemoryApi['objects']['get']>>) {
  const { managedFields: _, ...metadata } = live.metadata;
  return { ...live, metadata };
}

function shown() {
  const found = api.objects.get('nodes', undefined, 'vm-1');
  const mark = Object(found?.metadata.annotations)[key];
  return { unschedulable: Object(found?.spec).unschedulable, mark: mark && JSON.parse(mark) };
}

test('cordonStep cordons a node and writes its mark in one request', async () => {
  expect(await cordon()).toEqual(['cordon vm-1 for: upgrade v1.36.4+k3s1']);
  expect(shown()).toEqual({
    unschedulable: true,
    mark: { why: 'upgrade v1.36.4+k3s1', since: '2026-01-01T00:00:00.000Z' },
  });
  expect(host.lines().filter((line) => line.includes('/nodes/'))).toHaveLength(1);
});

test("uncordonStep removes Slipway's cordon and its mark", async () => {
  await cordon();
  expect(await uncordon()).toEqual(['uncordon vm-1']);
  expect(shown()).toEqual({ unschedulable: undefined, mark: undefined });
  expect(await uncordon()).toEqual([]);
});

test('the mark is printable and short, whatever the reason for the cordon is', async () => {
  await cordon(`restart\u001b[2J\n${'x'.repeat(500)}`);
  const { why } = shown().mark;
  expect(why).toMatch(/^restart\\u001b\[2J\\nx+$/);
  expect(why).toHaveLength(200);
  expect(await uncordon()).toEqual(['uncordon vm-1']);
});

describe('the cordon of a person', () => {
  test('is kept, without a mark, if the person cordoned the node before Slipway', async () => {
    kubectl('cordon');
    expect(await cordon()).toEqual([]);
    expect(await uncordon()).toEqual([]);
    expect(shown()).toEqual({ unschedulable: true, mark: undefined });
  });

  test("is kept if the person removed Slipway's cordon and then cordoned the node again", async () => {
    await cordon();
    kubectl('uncordon');
    kubectl('cordon');
    expect(await uncordon()).toEqual(['remove the mark of a former cordon']);
    expect(shown()).toEqual({ unschedulable: true, mark: undefined });
  });

  test('is kept if the person cordons the node between the check and the remedy', async () => {
    const found = await cordonStep(host, node, 'restart');
    kubectl('cordon');
    if (found?.state === 'Drifted') {
      await found.drift.remedy(host);
    }
    expect(shown()).toEqual({ unschedulable: true, mark: undefined });
  });

  test('is kept if the person cordons the node while the remedy runs', async () => {
    let isFirst = true;
    const get = host.get.bind(host);
    const found = await cordonStep(host, node, 'restart');
    host.get = async (request) => {
      const answer = await get(request);
      if (isFirst) {
        kubectl('cordon');
      }
      isFirst = false;
      return answer;
    };
    if (found?.state === 'Drifted') {
      await found.drift.remedy(host);
    }
    expect(shown()).toEqual({ unschedulable: true, mark: undefined });
  });
});

test('a node that a person uncordoned during its turn is cordoned again, and the mark is renewed', async () => {
  await cordon('restart');
  kubectl('uncordon');
  expect(await cordon('reboot')).toEqual(['cordon vm-1 for: reboot']);
  expect(shown().mark.why).toBe('reboot');
  expect(await uncordon()).toEqual(['uncordon vm-1']);
});

test('a mark without a cordon is removed', async () => {
  await cordon();
  kubectl('uncordon');
  expect(await uncordon()).toEqual(['remove the mark of a former cordon']);
  expect(shown()).toEqual({ unschedulable: undefined, mark: undefined });
});

test.each(['', '{}', 'x'.repeat(100_000), '{"why":7,"since":""}'])(
  'a cordon with a damaged mark is removed (%#)',
  async (text) => {
    putNode(api, { metadata: { name: 'vm-1', annotations: { [key]: text } }, spec: { unschedulable: true } });
    expect(await uncordon()).toEqual(['uncordon vm-1']);
    expect(shown().unschedulable).toBeUndefined();
  },
);

test('if the Node is missing, uncordonStep does nothing, and cordonStep waits', async () => {
  api.objects.remove('nodes', undefined, 'vm-1');
  expect(await uncordon()).toEqual([]);
  expect(await cordon()).toEqual(['NodeNotFound']);
});

test('a Node that changes at every attempt ends the remedy with ApiConflict', async () => {
  const found = await cordonStep(host, node, 'restart');
  const get = host.get.bind(host);
  let count = 0;
  host.get = async (request) => {
    const answer = await get(request);
    count += 1;
    putNode(api, { metadata: { name: 'vm-1', labels: { count: String(count) } } });
    return answer;
  };
  await expect(found?.state === 'Drifted' && found.drift.remedy(host)).rejects.toMatchObject({
    reason: 'ApiConflict',
  });
  expect(count).toBe(5);
});

describe('cordonReturned', () => {
  test('keeps the cordon while the node is in its turn', async () => {
    await cordon();
    expect(
      await settle(
        cordonReturned(node, [], async () => true),
        host,
      ),
    ).toEqual(['InSync']);
    expect(shown().unschedulable).toBe(true);
  });

  test('removes the cordon once the node is not in its turn', async () => {
    await cordon();
    const resource = cordonReturned(node, [], async () => false);
    expect(await settle(resource, host)).toEqual(['Drifted (non-blocking) spec.unschedulable', 'InSync']);
    expect(shown().unschedulable).toBeUndefined();
  });

  test('removes the cordon after a person has released the turn, although its state is still begun', async () => {
    await cordon();
    const live = api.objects.get('nodes', undefined, 'vm-1');
    const nonce = '00112233aabbccdd';
    const state = { nonce, digest: '3f2a9c1b2d4e', wish: 'restart config', state: 'begun', message: '' };
    const turn = {
      [turnKeys.state]: JSON.stringify(state),
      [turnKeys.grant]: JSON.stringify({ withdrawn: nonce }),
    };
    const { annotations, ...metadata } = Object(live?.metadata);
    api.objects.put('nodes', undefined, {
      ...Object(live),
      metadata: { ...metadata, annotations: { ...annotations, ...turn } },
    });
    await settle(cordonReturned(node, []), host);
    expect(shown().unschedulable).toBeUndefined();
  });

  test('keeps the cordon of a person', async () => {
    kubectl('cordon');
    expect(
      await settle(
        cordonReturned(node, [], async () => false),
        host,
      ),
    ).toEqual(['InSync']);
    expect(shown().unschedulable).toBe(true);
  });

  test('never blocks a dependant, even if the API does not answer', async () => {
    api.isUp = () => false;
    expect(
      await settle(
        cordonReturned(node, [], async () => false),
        host,
      ),
    ).toEqual(['ApiUnavailable (time, non-blocking)']);
  });
});
