import { describe, expect, test } from 'vitest';
import { actingMemory, actingServer, byActingServer } from '../../src/agent/acting.ts';
import { inSync, type Outcome, type Resource } from '../../src/agent/engine/resource.ts';
import type { K3sNode } from '../../src/agent/node.ts';
import { aNode } from '../unit/agent/a-node.ts';
import { type Holder, turnsWorld } from './turns-world.ts';

const minute = 60_000;

/** A cluster of three servers, each with something to do that only one of them may do. */
function threeServers() {
  const world = turnsWorld();
  const worked: string[] = [];
  const plan = (node: K3sNode): readonly Resource[] => {
    const memory = actingMemory();
    const { settings } = aNode('server', { settings: { k3s: { datastore: 'etcd' } } });
    const of = { ...node, settings };
    return [...actingServer(of, memory, []), byActingServer(of, memory, work(node, worked))];
  };
  const server = (name: string) => {
    world.node(name);
    return world.holder(name, {}, plan);
  };
  const of = [server('server-1'), server('server-2'), server('server-3')] as const;
  return {
    world,
    of,
    /** Lets time pass on all servers, with a pass of each of `alive` every five minutes; returns who worked. */
    async live(minutes: number, alive: readonly Holder[] = of): Promise<readonly string[]> {
      worked.length = 0;
      for (let at = 0; at < minutes; at += 5) {
        for (const holder of of) {
          holder.host.advance(5 * minute);
          if (alive.includes(holder)) {
            await holder.pass();
          }
        }
      }
      return [...new Set(worked)];
    },
  };
}

function work({ name }: K3sNode, worked: string[]): Resource {
  return {
    id: 'Work',
    summary: 'work for the cluster',
    condition: 'GitOps',
    async check() {
      worked.push(name);
      return inSync();
    },
  };
}

function told(outcome: Outcome): string {
  return outcome.state === 'InSync' ? (outcome.message ?? '') : outcome.state;
}

describe('of three servers', () => {
  test('one acts for the cluster, and the others name it', async () => {
    const { of, live } = threeServers();
    expect(await live(24 * 60)).toEqual(['server-1']);
    expect(await Promise.all(of.map(async (each) => told(await each.pass())))).toEqual([
      'this server acts for the cluster',
      'server-1 acts for the cluster',
      'server-1 acts for the cluster',
    ]);
  });

  test('the one that acts keeps acting after a restart of its process, and over one that is soon over', async () => {
    const { of, live } = threeServers();
    await live(30);
    of[0].restart();
    expect(await live(10, [of[1], of[2]])).toEqual([]);
    expect(await live(60)).toEqual(['server-1']);
  });

  test('another one acts after a quarter of an hour without the first, which then leaves it the work', async () => {
    const { of, live } = threeServers();
    await live(30);
    expect(await live(10, [of[1], of[2]])).toEqual([]);
    expect(await live(60, [of[1], of[2]])).toEqual(['server-2']);
    expect(await live(60)).toEqual(['server-2']);
  });

  test('none acts without an answer of the API, and never two', async () => {
    const { of, live } = threeServers();
    await live(30);
    of[0].through = () => undefined;
    expect(await live(10)).toEqual([]);
    expect(await live(60)).toEqual(['server-2']);
    of[0].through = (request) => request;
    expect(await live(60)).toEqual(['server-2']);
  });

  test('a server whose clock was set does not take the work', async () => {
    const { of, live } = threeServers();
    await live(30);
    of[1].host.setClock(of[1].host.now() + 365 * 24 * 60 * minute);
    expect(await live(60)).toEqual(['server-1']);
  });
});
