import { expect, test } from 'vitest';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import type { Resource } from '../../../../../../src/agent/engine/resource.ts';
import { recordingHost } from '../../../../../../src/agent/host/recording/recording-host.ts';
import { noNotice, type RotationNotice } from '../../../../../../src/agent/parts/k3s/rotation/notice.ts';
import { tokenFollowed } from '../../../../../../src/agent/parts/k3s/rotation/token-followed.ts';
import { FakeCloud } from '../../../../../lab/fake-cloud.ts';
import { outcome, settle } from '../../../a-node.ts';
import {
  from,
  noticeOf,
  ofSeveral,
  type RotatingServer,
  rotatingServer,
  rotation,
  to,
  tokenFile,
} from './a-rotation.ts';

const stored = noticeOf({ isStored: true });

function followed(
  { node }: RotatingServer,
  notice: RotationNotice = stored,
  secrets: Readonly<Record<string, string>> = { 'k3s-token': 'marlin' },
): Resource {
  const [resource] = tokenFollowed(node, { cloud: new FakeCloud({ secrets }), notice }, []);
  if (resource === undefined) {
    throw new Error('no Resource');
  }
  return resource;
}

test('tokenFollowed plans nothing on the only server of a cluster', () => {
  const { node } = rotatingServer(undefined);
  expect(tokenFollowed(node, { cloud: new FakeCloud({}), notice: stored }, [])).toEqual([]);
});

test.each([undefined, 'wanted', 'done'] as const)(
  'tokenFollowed takes the token that the datastore has, without a request and without consent, if the rotation is %s',
  async (state) => {
    const server = ofSeveral(rotatingServer(state), { consents: [] });
    await settle(followed(server), server.host);
    expect(server.host.files.read(tokenFile)).toMatchObject({ content: 'marlin\n', mode: 0o600 });
    expect(server.record()).toEqual({
      ...{ format: 1, from, to, state: 'rotated', invocation: 'start-1' },
      tokens: { from: 'swordfish\n', to: 'marlin\n' },
    });
    expect(server.requests).toEqual([]);
    expect(JSON.stringify(server.host.journal)).not.toMatch(/swordfish|marlin/);
  },
);

test('tokenFollowed takes the former version of the secret if the datastore has that one', async () => {
  const server = ofSeveral(rotatingServer(undefined));
  const cloud = new FakeCloud({ secrets: { 'k3s-token': 'marlin' } });
  await cloud.secret('k3s-token');
  cloud.secrets.set('k3s-token', 'a-third-token');
  const [resource] = tokenFollowed(server.node, { cloud, notice: stored }, []);
  await settle(resource as Resource, server.host);
  expect(server.host.files.text(tokenFile)).toBe('marlin\n');
});

test('tokenFollowed keeps its token and throws TokenRotationFailed if the vault does not have the new one', async () => {
  const server = ofSeveral(rotatingServer(undefined));
  const resource = followed(server, stored, { 'k3s-token': 'a-third-token' });
  expect((await settle(resource, server.host)).at(-1)).toBe('TokenRotationFailed (person, non-blocking)');
  expect([server.host.files.text(tokenFile), server.record()]).toEqual(['swordfish\n', undefined]);
});

test.each([
  ['the datastore still has the old token', noticeOf()],
  ['the Lease shows no rotation', noNotice],
  [
    'the API does not answer',
    { ...noNotice, read: () => Promise.reject(new NodeError('ApiUnavailable', 'off')) } as RotationNotice,
  ],
])('tokenFollowed keeps its token while %s', async (_, notice) => {
  const server = ofSeveral(rotatingServer(undefined));
  expect(await settle(followed(server, notice), server.host)).toEqual(['InSync']);
  expect(server.host.files.text(tokenFile)).toBe('swordfish\n');
});

test('tokenFollowed waits until K3s is up', async () => {
  const server = ofSeveral(rotatingServer(undefined));
  server.unit.ActiveState = 'activating';
  expect(await outcome(followed(server), server.host)).toBe('InSync');
});

test('tokenFollowed completes a change of the token file to which a crash came', async () => {
  const server = ofSeveral(rotatingServer('rotated', { invocation: 'start-1' }));
  await settle(followed(server, noNotice), server.host);
  expect(server.host.files.text(tokenFile)).toBe('marlin\n');
});

test('tokenFollowed takes the token while K3s runs from a start by another unit, for which the other servers wait', async () => {
  const server = ofSeveral(rotatingServer(undefined));
  server.host.files.remove('/run/slipway-k3s');
  await settle(followed(server), server.host);
  expect(server.host.files.text(tokenFile)).toBe('marlin\n');
});

test('tokenFollowed writes nothing in a dry run', async () => {
  const server = ofSeveral(rotatingServer(undefined));
  const finding = await followed(server).check(server.host);
  await (finding.state === 'Drifted' ? finding.drift.remedy(recordingHost(server.host)) : undefined);
  expect([server.host.files.text(tokenFile), server.host.files.text(rotation)]).toEqual([
    'swordfish\n',
    undefined,
  ]);
});
