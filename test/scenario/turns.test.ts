import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/agent/engine/resource.ts';
import { type Holder, type TurnsWorld, turnsWorld } from './turns-world.ts';

const second = 1_000;
const minute = 60 * second;

/** Makes passes every five seconds for some time, on all holders, and returns the last outcome of the first one. */
async function wait(time: number, ...holders: readonly Holder[]): Promise<Outcome | undefined> {
  let last: Outcome | undefined;
  for (let passed = 0; passed <= time; passed += 5 * second) {
    for (const holder of holders.toReversed()) {
      last = await holder.pass();
      holder.host.advance(5 * second);
    }
  }
  return last;
}

function message(outcome: Outcome | undefined): string {
  return outcome && 'message' in outcome ? (outcome.message ?? '') : (outcome?.state ?? '');
}

/** Returns the nodes that have a turn in the ledger. */
function slots(world: TurnsWorld): readonly string[] {
  return world.ledger().slots.map(({ node }) => node);
}

describe('one server', () => {
  test('grants itself a turn, without any other node', async () => {
    const world = turnsWorld();
    const holder = world.holder('server-1');
    world.node('server-1');
    expect(message(await holder.pass())).toBe('no node asks for a turn');
    world.ask('server-1');
    expect((await holder.pass()).state).toBe('Changed');
    expect(world.begin('server-1')).toBe(true);
    expect(message(await holder.pass())).toBe('server-1 is in its turn (restart config)');
    world.end('server-1');
    await wait(5 * second, holder);
    expect(slots(world)).toEqual([]);
    expect(message(await holder.pass())).toBe('no node asks for a turn');
  });

  test('keeps the slot of a server that is away, however long', async () => {
    const world = turnsWorld();
    const holder = world.holder('server-1');
    world.node('server-1');
    world.node('server-2');
    world.ask('server-2');
    await holder.pass();
    world.begin('server-2');
    world.node('server-2', { ready: 'Unknown' });
    world.ask('server-1');
    const last = await wait(20 * minute, holder);
    expect(slots(world)).toEqual(['server-2']);
    expect(last).toMatchObject({ state: 'Failed', reason: 'TurnFailed', blocks: false });
    expect(message(last)).toContain('server-2 failed (it has not served for ten minutes in its turn)');
    expect(message(last)).toContain('first run slipway turn release server-2.');
  });

  test('grants one agent its turn, and other agents theirs once the first has served for a minute', async () => {
    const world = turnsWorld();
    const holder = world.holder('server-1', { concurrency: 2 });
    world.node('server-1');
    for (const name of ['agent-1', 'agent-2', 'agent-3', 'agent-4']) {
      world.node(name);
      world.ask(name);
    }
    await wait(30 * second, holder);
    expect(slots(world)).toEqual(['agent-1']);
    expect(message(await holder.pass())).toContain('agent-2 waits for agent-1, which goes first');
    world.begin('agent-1');
    world.end('agent-1');
    await wait(50 * second, holder);
    expect(slots(world)).toEqual(['agent-1']);
    await wait(20 * second, holder);
    expect(slots(world)).toEqual(['agent-2', 'agent-3']);
  });

  test('writes the ledger before the Node, and still writes the Node after a crash in between', async () => {
    const world = turnsWorld();
    const holder = world.holder('server-1');
    world.node('server-1');
    world.ask('server-1');
    await holder.pass();
    const calls = holder.host.journal.map((action) => ('method' in action ? action.method : ''));
    expect(calls).toEqual(['POST', 'PUT', 'PATCH']);

    for (let crash = 1; crash <= calls.length; crash += 1) {
      const other = turnsWorld();
      const again = other.holder('server-1');
      other.node('server-1');
      other.ask('server-1');
      again.host.crashBefore(crash);
      await again.pass().catch(() => undefined);
      expect(other.turnOf('server-1').grant).toBeUndefined();
      again.restart();
      await wait(5 * second, again);
      expect(other.turnOf('server-1').grant).toBeDefined();
      expect(slots(other)).toEqual(['server-1']);
    }
  });

  test('withdraws a turn that does not begin within five minutes, and lets another node go first', async () => {
    const world = turnsWorld();
    const holder = world.holder('server-1');
    for (const name of ['server-1', 'agent-1', 'agent-2']) {
      world.node(name);
    }
    world.ask('agent-1');
    world.ask('agent-2');
    await wait(6 * minute, holder);
    expect(world.turnOf('agent-1').grant).toBeUndefined();
    expect(world.begin('agent-1')).toBe(false);
    expect(slots(world)).toEqual(['agent-2']);
  });

  test.each([
    ['is not Ready any more', (world: TurnsWorld) => world.node('agent-1', { ready: 'Unknown' })],
    ['was deleted', (world: TurnsWorld) => world.api.objects.remove('nodes', undefined, 'agent-1')],
  ])('stops the turns of a wish if an agent %s in its turn', async (how, lose) => {
    const world = turnsWorld();
    const holder = world.holder('server-1');
    for (const name of ['server-1', 'agent-1', 'agent-2']) {
      world.node(name);
    }
    world.ask('agent-1');
    world.ask('agent-2');
    await holder.pass();
    world.begin('agent-1');
    lose(world);
    const before = await wait(9 * minute, holder);
    expect([before?.state, slots(world)]).toEqual(['InSync', ['agent-1']]);
    const after = await wait(2 * minute, holder);
    expect(after).toMatchObject({ state: 'Failed', reason: 'TurnFailed' });
    expect(message(after)).toContain('then run slipway turn continue "restart config".');
    expect(message(after)).toContain('agent-2 waits because agent-1 failed');
    // A deleted agent cannot come back in its turn; one that does not report may be in the middle of it.
    const isDeleted = how === 'was deleted';
    expect(message(after).includes('slipway turn release agent-1')).toBe(!isDeleted);
    expect(slots(world)).toEqual(isDeleted ? [] : ['agent-1']);
  });

  test('reports a turn that takes more than an hour, and keeps it', async () => {
    const world = turnsWorld();
    const holder = world.holder('server-1');
    world.node('server-1');
    world.ask('server-1');
    await holder.pass();
    world.begin('server-1');
    for (let passed = 0; passed < 62; passed += 1) {
      await holder.pass();
      holder.host.advance(minute);
    }
    const held = await holder.pass();
    expect(held).toMatchObject({ state: 'Failed', reason: 'TurnHeld', blocks: false });
    expect(message(held)).toContain('slipway turn release server-1 frees the turn');
    expect(slots(world)).toEqual(['server-1']);
  });

  test('grants no more turns for a wish after a rollback, until the wish changes', async () => {
    const world = turnsWorld();
    const holder = world.holder('server-1');
    for (const name of ['server-1', 'agent-1', 'agent-2']) {
      world.node(name);
    }
    world.ask('agent-1');
    world.ask('agent-2');
    await holder.pass();
    world.begin('agent-1');
    world.end('agent-1', 'rolledBack');
    const last = await wait(10 * minute, holder);
    expect(slots(world)).toEqual([]);
    expect(message(last)).toContain('No further turns for "restart config": agent-1 failed');
    expect(message(last)).not.toContain('slipway turn release');
    world.ask('agent-2', { wish: 'restart other' });
    await wait(5 * second, holder);
    expect(slots(world)).toEqual(['agent-2']);
  });
});

describe('two servers', () => {
  function twoServers() {
    const world = turnsWorld();
    const holders = [world.holder('server-1'), world.holder('server-2')] as const;
    for (const name of ['server-1', 'server-2', 'agent-1', 'agent-2']) {
      world.node(name);
    }
    return { world, holders };
  }

  test('never both have a turn, whichever of them grants', async () => {
    const { world, holders } = twoServers();
    world.ask('server-1');
    world.ask('server-2');
    await wait(minute, ...holders);
    expect(slots(world)).toHaveLength(1);
    const [first = ''] = slots(world);
    world.begin(first);
    world.end(first);
    await wait(10 * second, ...holders);
    expect(slots(world)).toEqual(['server-1', 'server-2'].filter((name) => name !== first));
  });

  test('let the second grant turns once its monotonic clock shows half a minute of silence from the first', async () => {
    const {
      world,
      holders: [first, next],
    } = twoServers();
    world.ask('agent-1');
    await first.pass();
    first.through = () => undefined;
    world.begin('agent-1');
    world.ask('agent-2');
    expect(message(await wait(10 * second, next))).toBe('server-1 grants the turns');
    // Setting the clock does not make time pass.
    next.host.setClock(next.host.now() + 100 * 24 * 60 * minute);
    expect(message(await wait(10 * second, next))).toBe('server-1 grants the turns');
    await wait(20 * second, next);
    world.end('agent-1');
    await wait(2 * minute, next);
    expect(slots(world)).toEqual(['agent-2']);
  });

  test('do not repeat a grant that the second one has withdrawn, although the first still knows it', async () => {
    const {
      world,
      holders: [first, next],
    } = twoServers();
    world.ask('agent-1');
    // The first server writes the ledger, and hangs before it writes the Node.
    const late: Parameters<Holder['through']>[0][] = [];
    first.through = (request) => {
      if (request.method === 'PATCH') {
        late.push(request);
        return undefined;
      }
      return request;
    };
    await first.pass();
    expect(slots(world)).toEqual(['agent-1']);
    // The node asks for another turn instead. The second server takes over, and replaces the grant with a new one.
    world.node('agent-1');
    world.ask('agent-1', { digest: 'aaaaaaaaaaaa' });
    await wait(40 * second, next);
    const { grant } = world.turnOf('agent-1');
    expect(grant).toMatchObject({ digest: 'aaaaaaaaaaaa' });
    // The late write arrives.
    first.through = (request) => request;
    const [patch] = late;
    expect(patch && (await first.host.send(patch)).status).toBe(409);
    await wait(10 * second, first);
    expect(world.turnOf('agent-1').grant).toEqual(grant);
  });

  test('mark a Node if its turn is withdrawn before the grant arrives, so that a late grant is not written', async () => {
    const {
      world,
      holders: [first, next],
    } = twoServers();
    world.ask('agent-1');
    first.through = (request) => (request.method === 'PATCH' ? undefined : request);
    await first.pass();
    // The first server reads that the grant is in the ledger and not on the Node, and hangs.
    let hanging: (() => void) | undefined;
    const hung = new Promise<void>((resolve) => {
      hanging = resolve;
    });
    first.through = (request) => request;
    const get = first.host.get.bind(first.host);
    let isHanging = true;
    first.host.get = async (request) => {
      const answer = await get(request);
      if (isHanging && request.url.includes('/leases/')) {
        isHanging = false;
        await hung;
      }
      return answer;
    };
    const late = first.pass();
    world.ask('agent-1', { closed: true });
    await wait(40 * second, next);
    expect(slots(world)).toEqual([]);
    expect(world.turnOf('agent-1').withdrawn).toBeDefined();
    hanging?.();
    await late;
    expect(world.turnOf('agent-1').grant).toBeUndefined();
  });

  test('adopt a turn that was begun before the Lease was deleted', async () => {
    const {
      world,
      holders: [first, next],
    } = twoServers();
    world.ask('agent-1');
    await first.pass();
    world.begin('agent-1');
    world.api.objects.remove('leases.coordination.k8s.io', 'kube-system', 'slipway-turns');
    world.ask('server-1');
    await wait(2 * minute, next);
    expect(slots(world)).toEqual(['agent-1']);
    world.end('agent-1');
    await wait(2 * minute, next);
    expect(slots(world)).toEqual(['server-1']);
  });

  test('grant nothing while the ledger is damaged, and report this', async () => {
    const {
      world,
      holders: [first],
    } = twoServers();
    world.ask('agent-1');
    await first.pass();
    const found = world.api.objects.get('leases.coordination.k8s.io', 'kube-system', 'slipway-turns');
    if (found) {
      const annotations = { 'slipway.dev/ledger': '{' };
      world.api.objects.put('leases.coordination.k8s.io', 'kube-system', {
        ...found,
        metadata: { ...found.metadata, annotations },
      });
    }
    expect(await first.pass()).toMatchObject({ state: 'Failed', reason: 'TurnsUnreadable', blocks: false });
  });
});

describe('a dry run', () => {
  test('names the turn that the server would grant', async () => {
    const world = turnsWorld();
    const holder = world.holder('server-1');
    world.node('server-1');
    world.ask('server-1');
    const outcome = await holder.pass();
    expect(outcome).toMatchObject({ did: 'grant server-1 its turn (restart config)' });
  });
});
