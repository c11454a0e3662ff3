import { describe, expect, test } from 'vitest';
import { decide } from '../../../../../../src/agent/parts/maintenance/turn/decide.ts';
import {
  aFailure,
  aFleet,
  aRequest,
  aSlot,
  asks,
  decided,
  fleetNode,
  inTurn,
  nonceOf,
  offered,
  upgrade,
} from './a-fleet.ts';

describe('decide, after the loss of the ledger,', () => {
  test('adopts a turn that its node has begun, before it grants anything', () => {
    const nodes = [asks('server-1'), inTurn('agent-1')];
    expect(decided(nodes)[0]).toBe('note that agent-1 is in its turn (restart config)');
    expect(decide(aFleet(nodes)).actions).toEqual([{ kind: 'adopt', slot: aSlot('agent-1') }]);
  });

  test('adopts a begun turn whose grant is missing too', () => {
    expect(decided([inTurn('agent-1', 'begun', { grant: undefined })])[0]).toBe(
      'note that agent-1 is in its turn (restart config)',
    );
  });

  test('withdraws a turn that its node has not begun', () => {
    expect(decided([offered('agent-1')])[0]).toBe(
      'withdraw the turn of agent-1, because the ledger does not have it',
    );
  });

  test.each(['done', 'rolledBack', 'gaveUp'] as const)(
    'changes nothing for a turn that ended with %s',
    (state) => {
      expect(decided([inTurn('agent-1', state, { request: undefined })])).toEqual([]);
    },
  );

  test('does not adopt a turn that a person released', () => {
    const node = inTurn('agent-1', 'begun', {
      grant: undefined,
      withdrawn: nonceOf('agent-1'),
      request: undefined,
    });
    expect(decided([node])).toEqual([]);
  });

  test('does not adopt an old turn of a node that has a new one', () => {
    const slot = aSlot('agent-1', { nonce: '00000000ffffffff' });
    expect(decided([inTurn('agent-1')], { slots: [slot] })).toEqual([
      'write the turn of agent-1 to its Node',
    ]);
  });
});

describe('decide obeys', () => {
  const release = { orders: [{ order: 'release', about: 'agent-1' }] } as const;
  const slots = [aSlot('agent-1')];

  test.each([
    [
      'an order to release a begun turn: withdraws it first',
      [inTurn('agent-1')],
      { ...release, slots },
      'withdraw the turn of agent-1, because a person released it',
    ],
    [
      'an order to release a withdrawn turn: frees the slot',
      [asks('agent-1', '', { withdrawn: nonceOf('agent-1') })],
      { ...release, slots },
      'end the turn of agent-1 (restart config)',
    ],
    [
      'an order to release the turn of a deleted Node: frees the slot',
      [],
      { ...release, slots },
      'end the turn of agent-1 (restart config)',
    ],
    [
      'an order to release a turn that does not exist: removes the order',
      [],
      release,
      'remove the order release agent-1',
    ],
    [
      'an order to continue with one wish',
      [],
      {
        orders: [{ order: 'continue', about: upgrade }],
        failures: [aFailure('agent-1', upgrade), aFailure('agent-2', 'reboot')],
      },
      'forget the failures of agent-1',
    ],
    [
      'an order to continue with all wishes',
      [],
      {
        orders: [{ order: 'continue', about: '' }],
        failures: [aFailure('agent-1', upgrade), aFailure('agent-2', 'reboot')],
      },
      'forget the failures of agent-1, agent-2',
    ],
    [
      'an order to continue without failures: removes the order',
      [],
      { orders: [{ order: 'continue', about: '' }] },
      'remove the order continue',
    ],
    [
      'an order to let pass a node that does not ask: removes the order',
      [fleetNode('agent-1')],
      { orders: [{ order: 'now', about: 'agent-1' }] },
      'remove the order now agent-1',
    ],
  ] as const)('%s', (_, nodes, fields, expected) => {
    expect(decided(nodes, fields)[0]).toBe(expected);
  });
});

describe('decide', () => {
  const failures = [aFailure('agent-1', upgrade)];

  test.each([
    [
      'once the node asks for the same wish with another digest',
      [asks('agent-1', upgrade, { request: aRequest({ wish: upgrade, digest: 'aaaaaaaaaaaa' }) })],
    ],
    ['once the fleet wants another release', [asks('agent-2', 'upgrade v1.36.5+k3s1')]],
  ])('forgets a failure %s', (_, nodes) => {
    expect(decided(nodes, { failures })[0]).toBe('forget the failures of agent-1');
  });

  test.each([
    ['while its node wants the same', [asks('agent-1', upgrade)]],
    [
      'while another node wants the same',
      [asks('agent-2', upgrade), asks('agent-3', 'upgrade v1.36.5+k3s1')],
    ],
    ['while no node wants anything', []],
    ['while nodes want something of another kind', [asks('agent-1', 'restart config')]],
  ])('keeps a failure %s', (_, nodes) => {
    expect(decide(aFleet(nodes, { failures })).actions.filter(({ kind }) => kind === 'forgive')).toEqual([]);
  });

  test('forgets the first agent of a wish that no node has any more', () => {
    expect(decided([], { proven: ['reboot'] })).toEqual(['forget the first agent of reboot']);
    expect(decided([asks('agent-1', 'reboot')], { proven: ['reboot'] })).toEqual([
      'grant agent-1 its turn (reboot)',
    ]);
  });

  test.each([
    ['elsewhere', fleetNode('agent-2'), false],
    ['nowhere if no other node is Ready', fleetNode('agent-2', { ready: 'False' }), true],
    ['nowhere if no other node takes pods', fleetNode('agent-2', { isPlace: false }), true],
  ])('grants a turn with the notice that pods could run %s', (_, other, nowhere) => {
    const [action] = decide(aFleet([asks('agent-1'), other])).actions;
    expect(action).toMatchObject({ kind: 'grant', nowhere });
  });
});

describe('decide, while the servers rotate the join token', () => {
  const digests = { from: '0123456789ab', to: 'ba9876543210' };
  const rotation = { node: 'server-1', ...digests, stored: true };
  const token = { to: digests.to, state: 'file' } as const;
  const others = [fleetNode('server-2', { token }), fleetNode('server-3', { token })];
  const wish = `token ${digests.to}`;

  test('grants a server its turn once all Ready servers have the new token', () => {
    const nodes = [asks('server-1', wish, { token }), ...others];
    expect(decided(nodes, { rotation })).toEqual([expect.stringContaining('server-1')]);
  });

  test.each([
    ['another server has the old token', fleetNode('server-3')],
    [
      'another server has the token of an earlier rotation',
      fleetNode('server-3', { token: { ...token, to: digests.from } }),
    ],
  ])('grants no server a turn, for whatever wish, while %s', (_, third) => {
    for (const each of [wish, 'restart config']) {
      const nodes = [asks('server-1', each, { token }), fleetNode('server-2', { token }), third];
      expect(decided(nodes, { rotation })).toEqual([
        'server-1 waits for server-3, which does not have the new join token yet',
      ]);
    }
  });

  test('grants no server a turn before the datastore has the new token', () => {
    const nodes = [asks('server-2', 'restart config'), fleetNode('server-1'), fleetNode('server-3')];
    expect(decided(nodes, { rotation: { ...rotation, stored: false } })).toEqual([
      'server-2 waits for server-1, which rotates the join token',
    ]);
  });

  test('grants a server no turn while it has the old token itself', () => {
    expect(decided([asks('server-1'), ...others], { rotation })).toEqual([
      'server-1 waits for its new join token',
    ]);
  });

  test('grants an urgent turn anyway', () => {
    const request = aRequest({ wish: 'certificates', urgent: true });
    const nodes = [fleetNode('server-1', { request, token }), fleetNode('server-2'), fleetNode('server-3')];
    expect(decided(nodes, { rotation })).toEqual([expect.stringContaining('server-1')]);
  });

  test('grants the only server of a cluster the turn of its rotation', () => {
    expect(decided([asks('server-1', wish)], { rotation: { ...rotation, stored: false } })).toEqual([
      expect.stringContaining('server-1'),
    ]);
  });
});
