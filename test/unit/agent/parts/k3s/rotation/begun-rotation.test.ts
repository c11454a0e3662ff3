import { describe, expect, test } from 'vitest';
import { waiting } from '../../../../../../src/agent/engine/resource.ts';
import { noNotice, type RotationNotice } from '../../../../../../src/agent/parts/k3s/rotation/notice.ts';
import {
  type RotationPorts,
  tokenRotated,
} from '../../../../../../src/agent/parts/k3s/rotation/token-rotated.ts';
import { aNode, outcome, settle } from '../../../a-node.ts';
import {
  from,
  noticeOf,
  ofSeveral,
  type RotatingServer,
  rotatingServer,
  to,
  tokenFile,
} from './a-rotation.ts';

const ports: RotationPorts = {
  copy: async () => undefined,
  notice: noNotice,
  acting: async () => 'vm-1',
};

function rotated({ node }: Pick<RotatingServer, 'node'>, more: Partial<RotationPorts> = {}) {
  return tokenRotated(node, { ...ports, ...more }, []);
}

describe('a rotation that has begun', () => {
  test('makes K3s store the token, writes the token file, and records which start still has the old token', async () => {
    const server = rotatingServer('begun', { refused: [to] });
    await settle(rotated({ node: aNode('server') }), server.host);
    expect(server.requests).toEqual(['swordfish -> marlin']);
    expect(server.host.files.read(tokenFile)).toMatchObject({ content: 'marlin\n', mode: 0o600 });
    expect(server.record()).toEqual({
      ...{ format: 1, from, to, state: 'rotated', invocation: 'start-1' },
      tokens: { from: 'swordfish\n', to: 'marlin\n' },
    });
    expect(JSON.stringify(server.host.journal)).not.toMatch(/swordfish|marlin/);
  });

  test('ends the rotation if K3s has already started with the new token, and forgets both tokens', async () => {
    const server = rotatingServer('begun');
    server.answers.push(401);
    let removed = 0;
    const notice = {
      ...noNotice,
      remove: async () => {
        removed += 1;
      },
    };
    await settle(rotated(server, { notice }), server.host);
    expect(server.record()).toEqual({ format: 1, from, to, state: 'done' });
    expect([removed, server.host.files.text(tokenFile)]).toEqual([1, 'marlin\n']);
  });

  test('needs no notice of other servers on the only one', async () => {
    const server = rotatingServer('begun');
    const notice = { ...noNotice, read: () => Promise.reject(new Error('the notice was read')) };
    await settle(rotated(server, { notice }), server.host);
    expect(server.requests).toEqual(['swordfish -> marlin']);
  });

  test('keeps the token file if K3s refuses', async () => {
    const server = rotatingServer('begun');
    server.answers.push(404);
    expect((await settle(rotated(server), server.host)).at(-1)).toBe(
      'TokenRotationFailed (person, non-blocking)',
    );
    expect(server.host.files.text(tokenFile)).toBe('swordfish\n');
    expect(server.record()?.state).toBe('begun');
  });

  test('blocks nothing, and takes one step of several', async () => {
    const server = rotatingServer('begun');
    expect(await rotated(server).check(server.host)).toMatchObject({
      drift: { partial: true, blocks: false },
    });
  });

  test('ends the rotation if K3s has ended after it stored the token, because its next start uses the token', async () => {
    const server = rotatingServer('begun');
    server.host.onRequest({ method: 'PUT', url: 'https://127.0.0.1:6443/v1-k3s/token' }, () => {
      server.unit.ActiveState = 'inactive';
      return { status: 200 };
    });
    await settle(rotated(server), server.host, 1);
    expect(server.record()).toEqual({ format: 1, from, to, state: 'done' });
  });

  test.each([
    { from: ' ', to: 'marlin\n' },
    { from: 'swordfish\n', to: ' ' },
  ])('throws TokenRotationFailed if a token in the record is damaged: %j', async (tokens) => {
    const server = rotatingServer('begun', { tokens });
    expect(await outcome(rotated(server), server.host)).toBe('TokenRotationFailed (person, non-blocking)');
  });

  test('throws TokenRotationFailed if the record has lost its tokens', async () => {
    const server = rotatingServer('begun', { tokens: undefined });
    expect(await outcome(rotated(server), server.host)).toBe('TokenRotationFailed (person, non-blocking)');
  });
});

describe('a rotation that has begun on one of several servers', () => {
  test('notes in the Lease that K3s has stored the token before it writes the token file, and keeps the notice', async () => {
    const server = ofSeveral(rotatingServer('begun'));
    const seen: unknown[] = [];
    const notice: RotationNotice = {
      ...noNotice,
      store: async (_host, _node, stored) => {
        seen.push(stored.to, server.host.files.text(tokenFile));
      },
      remove: async () => {
        seen.push('removed');
      },
    };
    await settle(rotated(server, { notice }), server.host);
    expect(server.requests).toEqual(['swordfish -> marlin']);
    expect(seen).toEqual([to, 'swordfish\n']);
    expect(server.record()).toMatchObject({ state: 'rotated', invocation: 'start-1' });
    expect(server.host.files.text(tokenFile)).toBe('marlin\n');
  });

  test.each([
    ['the Lease shows that the datastore has the new token', { isStored: true }, 'swordfish'],
    ['another server accepts the new token', { to: '111111111111' }, 'marlin'],
  ])(
    'sends no request for a rotation that has begun if %s, and takes the new token',
    async (_, shown, peerAccepts) => {
      const server = ofSeveral(rotatingServer('begun'), { peerAccepts });
      await settle(rotated(server, { notice: noticeOf(shown) }), server.host);
      expect(server.requests).toEqual([]);
      expect(server.host.files.text(tokenFile)).toBe('marlin\n');
      expect(server.record()).toMatchObject({ state: 'rotated', invocation: 'start-1' });
    },
  );

  test('ends a rotation that has begun while K3s runs from a start by another unit, because all servers wait for it', async () => {
    const server = ofSeveral(rotatingServer('begun'));
    server.host.files.remove('/run/slipway-k3s');
    await settle(rotated(server), server.host);
    expect([server.requests, server.record()?.state]).toEqual([['swordfish -> marlin'], 'rotated']);
  });

  test('ends a rotation that has begun, without a request, if its K3s runs with the new token', async () => {
    const server = ofSeveral(rotatingServer('begun'), { peerAccepts: 'marlin', runs: 'marlin' });
    await settle(rotated(server), server.host);
    expect([server.requests, server.record()]).toEqual([[], { format: 1, from, to, state: 'done' }]);
  });

  test.each([
    ['acts for the cluster', 'server-2'],
    ['showed it before any server acts', undefined],
  ])('leaves the notice to another server that %s', async (_, acting) => {
    const server = ofSeveral(rotatingServer('begun'));
    const notice = { ...noticeOf(), shown: () => Promise.reject(new Error('the notice was taken')) };
    expect(await rotated(server, { notice, acting: async () => acting }).check(server.host)).toMatchObject({
      state: 'Waiting',
      reason: 'TurnAwaited',
      isExpected: true,
      blocks: false,
    });
    expect(server.requests).toEqual([]);
  });

  test.each([
    ['this server shows it', noticeOf({ node: 'vm-1' }), 'server-2'],
    ['this server shows it, and no server acts', noticeOf({ node: 'vm-1' }), undefined],
    ['the Lease shows another token', noticeOf({ node: 'vm-1', to: '111111111111', isStored: true }), 'vm-1'],
    ['no server shows it', noNotice, 'server-2'],
    ['the server that shows it no longer acts', noticeOf(), 'server-3'],
  ])('goes on if %s, even if another server acts for the cluster', async (_, notice, acting) => {
    const server = ofSeveral(rotatingServer('begun'));
    await settle(rotated(server, { notice, acting: async () => acting }), server.host);
    expect([server.requests, server.record()?.state]).toEqual([['swordfish -> marlin'], 'rotated']);
  });

  test('sends no request while the Lease shows the rotation of another server', async () => {
    const server = ofSeveral(rotatingServer('begun'));
    const notice = { ...noticeOf(), shown: async () => waiting('TurnAwaited', 'server-2 rotates') };
    expect(await outcome(rotated(server, { notice }), server.host)).toContain('TurnAwaited');
    expect(server.requests).toEqual([]);
  });
});
