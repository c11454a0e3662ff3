import { describe, expect, test } from 'vitest';
import { startRepaired } from '../../../../../../src/agent/parts/k3s/rotation/start-repaired.ts';
import { aNode, outcome, settle } from '../../../a-node.ts';
import { from, type RotatingServer, rotatingServer, to, tokenFile } from './a-rotation.ts';

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
  return settle(startRepaired(node, []), host);
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
    expect(await outcome(startRepaired(server.node, []), server.host)).toBe('InSync');
    expect(server.host.files.text(tokenFile)).toBe('marlin\n');
  });

  test('throws TokenRotationFailed if K3s starts with neither token', async () => {
    const server = failing(rotatingServer('begun', { refused: [to] }), otherToken);
    expect(await outcome(startRepaired(server.node, []), server.host)).toBe(
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
    await settle(startRepaired(node, []), server.host);
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
