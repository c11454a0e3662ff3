import { describe, expect, test } from 'vitest';
import { startRepaired } from '../../../../../../src/agent/parts/k3s/rotation/start-repaired.ts';
import { FakeCloud } from '../../../../../lab/fake-cloud.ts';
import { aNode, outcome, settle } from '../../../a-node.ts';
import { from, ofSeveral, type RotatingServer, rotatingServer, to, tokenFile } from './a-rotation.ts';

const cloud = new FakeCloud({ secrets: { 'k3s-token': 'marlin' } });
const passwd = '/var/lib/rancher/k3s/server/cred/passwd';
const fatal = (words: string) => `time="2026-08-01T10:00:00Z" level=fatal msg="${words}"\n`;
const otherToken = fatal(
  'starting kubernetes: preparing server: bootstrap data already found and encrypted with different token',
);
const newer = (files: string) =>
  fatal(
    `${files} newer than datastore and could cause a cluster outage. Remove the file(s) from disk and restart to be recreated from datastore.`,
  );

/** Makes the last start of K3s one that ended with these words. */
function failing(server: RotatingServer, log: string, SubState = 'auto-restart'): RotatingServer {
  Object.assign(server.unit, { ActiveState: 'activating', SubState });
  server.host.on({ file: 'journalctl' }, log);
  server.host.files.write(passwd, 'passwords', 0o600);
  return server;
}

function repaired({ node, host }: RotatingServer) {
  return settle(startRepaired(node, cloud, []), host);
}

describe('startRepaired, if the datastore belongs to another token', () => {
  test.each([
    ['begun', 'swordfish\n', 'marlin\n', from],
    ['begun', 'marlin\n', 'swordfish\n', to],
    ['rotated', 'marlin\n', 'swordfish\n', to],
  ] as const)(
    'replaces the token in a rotation that is %s: %j by %j',
    async (state, file, written, refused) => {
      const server = failing(rotatingServer(state, { invocation: 'start-0' }), otherToken);
      server.host.files.write(tokenFile, file, 0o600);
      await repaired(server);
      expect(server.host.files.read(tokenFile)).toMatchObject({ content: written, mode: 0o600 });
      expect(server.record()).toMatchObject({ state: 'begun', refused: [refused], invocation: 'start-1' });
      expect(JSON.stringify(server.host.journal)).not.toMatch(/swordfish|marlin/);
    },
  );

  test('waits for the next start after it has replaced the token', async () => {
    const server = failing(rotatingServer('begun'), otherToken);
    await repaired(server);
    expect(await outcome(startRepaired(server.node, cloud, []), server.host)).toBe('InSync');
    expect(server.host.files.text(tokenFile)).toBe('marlin\n');
  });

  test('throws TokenRotationFailed if K3s starts with neither token', async () => {
    const server = failing(rotatingServer('begun', { refused: [to] }), otherToken);
    expect(await outcome(startRepaired(server.node, cloud, []), server.host)).toBe(
      'TokenRotationFailed (person, non-blocking)',
    );
  });

  test.each([undefined, 'wanted', 'done'] as const)(
    'changes nothing if the rotation is %s',
    async (state) => {
      const server = failing(rotatingServer(state), otherToken);
      expect(await repaired(server)).toEqual(['InSync']);
    },
  );
});

describe('startRepaired on one of several servers, if the datastore belongs to another token', () => {
  test.each([
    ['begun', 'swordfish\n', 'marlin\n', from],
    ['rotated', 'marlin\n', 'swordfish\n', to],
  ] as const)(
    'replaces the token in a rotation that is %s, and keeps this state',
    async (state, file, written, refused) => {
      const server = failing(ofSeveral(rotatingServer(state, { invocation: 'start-0' })), otherToken);
      server.host.files.write(tokenFile, file, 0o600);
      await repaired(server);
      expect(server.host.files.text(tokenFile)).toBe(written);
      expect(server.record()).toMatchObject({ state, refused: [refused], invocation: 'start-1' });
    },
  );

  test.each([undefined, 'wanted', 'done'] as const)(
    'takes the token of the vault if the rotation is %s, and then both tokens in turn until K3s starts',
    async (state) => {
      const server = failing(ofSeveral(rotatingServer(state)), otherToken);
      await repaired(server);
      expect(server.host.files.read(tokenFile)).toMatchObject({ content: 'marlin\n', mode: 0o600 });
      expect(server.record()).toMatchObject({ state: 'rotated', refused: [from], invocation: 'start-1' });
      expect(JSON.stringify(server.host.journal)).not.toMatch(/swordfish|marlin/);
      expect(await repaired(server)).toEqual(['InSync']);
      for (const [start, file, refused] of [
        ['start-2', 'swordfish\n', to],
        ['start-3', 'marlin\n', from],
        ['start-4', 'swordfish\n', to],
      ] as const) {
        server.unit.InvocationID = start;
        await repaired(server);
        expect([server.host.files.text(tokenFile), server.record()?.refused]).toEqual([file, [refused]]);
      }
    },
  );

  test('throws TokenRotationFailed if the vault has the token with which K3s did not start', async () => {
    const server = failing(ofSeveral(rotatingServer(undefined)), otherToken);
    server.host.files.write(tokenFile, 'marlin\n', 0o600);
    expect((await repaired(server)).at(-1)).toBe('TokenRotationFailed (person, non-blocking)');
    expect([server.host.files.text(tokenFile), server.record()]).toEqual(['marlin\n', undefined]);
  });

  test('takes the former version of the secret if the datastore is not rotated yet', async () => {
    const server = failing(ofSeveral(rotatingServer(undefined)), otherToken);
    server.host.files.write(tokenFile, 'marlin\n', 0o600);
    const vault = new FakeCloud({ secrets: { 'k3s-token': 'swordfish' } });
    vault.secrets.set('k3s-token', 'marlin');
    await settle(startRepaired(server.node, vault, []), server.host, 1);
    expect(server.host.files.read(tokenFile)).toMatchObject({ content: 'swordfish\n', mode: 0o600 });
    expect(server.record()).toMatchObject({ from: to, to: from, state: 'rotated', refused: [to] });
  });

  test('changes nothing without a token file', async () => {
    const server = failing(ofSeveral(rotatingServer(undefined)), otherToken);
    server.host.files.remove(tokenFile);
    expect(await repaired(server)).toEqual(['InSync']);
  });
});

describe('startRepaired, if the password file is newer than the datastore', () => {
  test.each(['begun', 'rotated', 'done'] as const)(
    'removes the file after a rotation that is %s',
    async (state) => {
      const server = failing(rotatingServer(state), newer(passwd));
      await repaired(server);
      expect(server.host.files.stat(passwd)).toBeUndefined();
    },
  );

  test('removes the file on a server with a token for agents', async () => {
    const server = failing(rotatingServer(undefined), newer(passwd));
    const node = aNode('server', { settings: { joinToken: { agentSecretName: 'agents' } } });
    await settle(startRepaired(node, cloud, []), server.host);
    expect(server.host.files.stat(passwd)).toBeUndefined();
  });

  test('keeps the file on a server on which Slipway changed no token', async () => {
    const server = failing(rotatingServer(undefined), newer(passwd));
    expect(await repaired(server)).toEqual(['InSync']);
    expect(server.host.files.stat(passwd)).toBeDefined();
  });

  test.each([
    `${passwd}, /var/lib/rancher/k3s/server/tls/server-ca.key`,
    `/var/lib/rancher/k3s/server/tls/server-ca.key, ${passwd}`,
  ])('keeps the file if other files are newer, too: %s', async (files) => {
    const server = failing(rotatingServer('begun'), newer(files));
    expect(await repaired(server)).toEqual(['InSync']);
    expect(server.host.files.stat(passwd)).toBeDefined();
  });
});

test('startRepaired reads no journal while K3s runs or starts', async () => {
  const server = rotatingServer('begun');
  expect(await repaired(server)).toEqual(['InSync']);
  failing(server, otherToken, 'start');
  expect(await repaired(server)).toEqual(['InSync']);
  expect(server.host.looks.filter((look) => look.startsWith('journalctl'))).toEqual([]);
});
