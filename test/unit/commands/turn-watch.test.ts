import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { bellInterval, turnKeys, turnMemory } from '../../../src/agent/parts/maintenance/index.ts';
import { turnWatch } from '../../../src/commands/turn-watch.ts';
import { memoryHost } from '../../lab/memory-host.ts';
import { aCluster, putNode } from '../agent/a-cluster.ts';
import { aNode } from '../agent/a-node.ts';

test("the turn watch wakes the daemon within half a minute of a node's request, even after an outage of the API", async () => {
  const host = memoryHost();
  const api = aCluster(host);
  const stopped = new AbortController();
  const asked: number[] = [];
  const begun = host.now();
  let looks = 0;
  const sleep = host.sleep.bind(host);
  host.sleep = async (milliseconds, signal) => {
    await sleep(milliseconds, signal);
    looks += 1;
    api.isUp = () => looks !== 1;
    if (looks === 2) {
      putNode(api, { metadata: { name: 'vm-1', annotations: { [turnKeys.request]: '{}' } } });
    }
    if (looks === 4) {
      stopped.abort();
    }
  };
  const over = new Promise((resolve) => stopped.signal.addEventListener('abort', resolve));
  turnWatch({
    host,
    turns: turnMemory(),
    signal: stopped.signal,
    onAsked: () => asked.push(host.now() - begun),
  })(aNode('server'));
  await over;
  expect(asked).toEqual([2 * bellInterval]);
});

test('the turn watch does not wake an agent', async () => {
  const host = memoryHost();
  const slept: number[] = [];
  host.sleep = async (milliseconds) => void slept.push(milliseconds);
  const watch = turnWatch({
    host,
    turns: turnMemory(),
    signal: new AbortController().signal,
    onAsked: () => {},
  });
  for (let pass = 0; pass < 3; pass += 1) {
    watch(aNode('agent'));
    await setImmediate();
  }
  expect(slept).toEqual([]);
});
