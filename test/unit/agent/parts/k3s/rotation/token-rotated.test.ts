import { describe, expect, test } from 'vitest';
import { step, waiting } from '../../../../../../src/agent/engine/resource.ts';
import { noNotice, type RotationNotice } from '../../../../../../src/agent/parts/k3s/rotation/notice.ts';
import {
  type RotationPorts,
  tokenRotated,
} from '../../../../../../src/agent/parts/k3s/rotation/token-rotated.ts';
import { aNode, outcome, settle } from '../../../a-node.ts';
import { putCopy } from '../restore/a-copy.ts';
import { from, ofSeveral, type RotatingServer, rotatingServer, to } from './a-rotation.ts';

const ports: RotationPorts = {
  copy: async () => undefined,
  notice: noNotice,
  acting: async () => 'vm-1',
};

function rotated({ node }: Pick<RotatingServer, 'node'>, more: Partial<RotationPorts> = {}) {
  return tokenRotated(node, { ...ports, ...more }, []);
}

test.each([undefined, 'done'] as const)(
  'tokenRotated does nothing if the last rotation is %s',
  async (state) => {
    const server = rotatingServer(state);
    expect(await rotated(server).check(server.host)).toEqual({ state: 'InSync' });
  },
);

test('tokenRotated names the version of the secret to keep while a copy that was made with it exists', async () => {
  const server = rotatingServer('done');
  putCopy(server.host);
  expect(await rotated(server).check(server.host)).toMatchObject({
    state: 'InSync',
    message: expect.stringContaining(`keep the version ${from}`),
  });
});

test('tokenRotated names no version of the secret for copies that were made with another token', async () => {
  const server = rotatingServer('done');
  putCopy(server.host, { token: '0123456789ab' });
  expect(await rotated(server).check(server.host)).toEqual({ state: 'InSync' });
});

describe('tokenRotated before the first request to K3s', () => {
  test('begins the rotation once the datastore is copied and the notice is in the Lease', async () => {
    const server = rotatingServer('wanted');
    const missing = ['copied', 'shown'];
    const next = (what: string) =>
      missing.includes(what)
        ? step({ field: what, observed: undefined, desired: to }, async () => {
            missing.splice(missing.indexOf(what), 1);
          })
        : undefined;
    const reasons: string[] = [];
    const resource = rotated(server, {
      copy: async (_host, _node, { reason, version, always }) => {
        reasons.push(`${reason}, K3s ${version}, ${always ? 'always' : 'maybe'}`);
        return next('copied');
      },
      notice: { ...noNotice, shown: async () => next('shown') },
    });
    server.host.on({ file: 'k3s', args: ['--version'] }, 'k3s version v1.36.3+k3s1 (1a2b3c4d)\n');
    const seen: string[] = [];
    while (server.record()?.state === 'wanted') {
      seen.push((await settle(resource, server.host, 1))[0] ?? '');
    }
    expect(seen.map((each) => each.split(' ').at(-1))).toEqual(['copied', 'shown', 'token']);
    expect(new Set(reasons)).toEqual(new Set([`token ${to}, K3s v1.36.3+k3s1, always`]));
    expect(server.record()).toMatchObject({ state: 'begun', tokens: { to: 'marlin\n' } });
    expect(server.requests).toEqual([]);
  });

  test.each([
    [
      'the copy is declined',
      { copy: async () => waiting('CopyDeclined', 'full', { blocks: false }) },
      'CopyDeclined',
    ],
    [
      'another server rotates, even without a copy',
      {
        copy: async () => step({ field: 'copy', observed: undefined, desired: to }, async () => {}),
        notice: { ...noNotice, shown: async () => waiting('TurnAwaited', 'other') } satisfies RotationNotice,
      },
      'TurnAwaited',
    ],
  ])('waits while %s', async (_name, more, reason) => {
    const server = rotatingServer('wanted');
    server.host.on({ file: 'k3s', args: ['--version'] }, 'k3s version v1.36.3+k3s1 (1a2b3c4d)\n');
    expect(await rotated(server, more).check(server.host)).toMatchObject({ state: 'Waiting', reason });
  });

  test('waits while an upgrade of K3s is under way', async () => {
    const server = rotatingServer('wanted');
    const upgrade = {
      wanted: 'v1.36.4+k3s1',
      from: 'v1.36.3+k3s1',
      digest: '0123456789ab',
      state: 'begun',
      restarts: 0,
    };
    server.host.files.write('/var/lib/slipway/upgrade.json', JSON.stringify({ format: 1, ...upgrade }));
    expect(await outcome(rotated(server), server.host)).toContain('Upgrading');
  });

  test('does not begin while K3s runs from a start by another unit, which may not read the token file', async () => {
    const server = rotatingServer('wanted');
    server.host.on({ file: 'k3s', args: ['--version'] }, 'k3s version v1.36.3+k3s1 (1a2b3c4d)\n');
    server.host.files.remove('/run/slipway-k3s');
    expect(await outcome(rotated(server), server.host)).toContain('UnitAdopted');
  });

  test('waits while K3s is not up', async () => {
    const server = rotatingServer('wanted');
    server.unit.ActiveState = 'activating';
    expect(await outcome(rotated(server), server.host)).toContain('ServiceStarting');
  });

  test('drops the rotation and its notice if the settings no longer consent to it', async () => {
    const server = rotatingServer('wanted');
    const removals: unknown[] = [];
    const notice = {
      ...noNotice,
      remove: async () => {
        removals.push(server.record()?.state);
      },
    };
    await settle(rotated({ node: aNode('server') }, { notice }), server.host);
    expect(server.record()).toBeUndefined();
    expect(removals).toEqual(['wanted']);
    expect(server.requests).toEqual([]);
  });
});

test('tokenRotated reports that K3s accepts the new token only after a restart', async () => {
  const server = rotatingServer('rotated', { invocation: 'start-1' });
  expect(await rotated(server).check(server.host)).toMatchObject({
    state: 'InSync',
    message: expect.stringContaining('after a restart'),
  });
});

describe('tokenRotated on one of several servers', () => {
  test.each([
    ['server-2', 'server-2 acts for the cluster'],
    [undefined, 'no server acts'],
  ])('waits before the rotation while %s acts for the cluster', async (acting, words) => {
    const server = ofSeveral(rotatingServer('wanted'));
    expect(await rotated(server, { acting: async () => acting }).check(server.host)).toMatchObject({
      ...{ state: 'Waiting', reason: 'TurnAwaited', isExpected: true, blocks: false },
      message: expect.stringContaining(words),
    });
  });
});
