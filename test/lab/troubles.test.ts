import { createHash } from 'node:crypto';
import { rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PublishedCondition as Condition } from '../../src/agent/report/status.ts';
import { packaged } from './executable.ts';
import { type Lab, startLab } from './lab.ts';
import type { LabNode } from './node.ts';

const dir = join(tmpdir(), `slipway-troubles-${process.pid}`);

/**
 * The failures occur in one lab, in the order of the tests. Each test checks the condition that reports its failure.
 * Most tests then repair the failure and wait until the node is Ready.
 */
describe('during failures and after their repair', () => {
  let lab: Lab;
  let server: LabNode;
  let agent: LabNode;
  let observability: LabNode;

  beforeAll(async () => {
    lab = await startLab({ dir, executable: [packaged] });
    [server, agent, observability] = [lab.node('server'), lab.node('agent'), lab.node('observability')];
  });

  afterAll(async () => {
    await lab?.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  test('an agent whose server is missing reports ServerUnreachable', async () => {
    agent.start();
    const { message } = await told(agent, 'ServerReachable', 'ServerUnreachable');
    expect(message).toContain('k3s-server');
  });

  test('a server with a corrupted download reports ChecksumMismatch, and downloads again', async () => {
    lab.mirror.fail('corrupt', { on: /\/k3s$/, times: 1 });
    server.start();
    const { message } = await told(server, 'K3sBinary', 'ChecksumMismatch');
    expect(message).toContain('sha256');
    await ready(server);
  });

  test('a VM without the tag for its role reports RoleMissing, and lists the roles', async () => {
    const { tags } = lab.azure.node('observability').vm;
    delete tags['k3s-role'];
    observability.start();
    const { message } = await told(observability, 'Role', 'RoleMissing');
    for (const role of ['server', 'agent', 'observability']) {
      expect(message).toContain(role);
    }
  });

  test('a node whose name the server knows with another password reports NodePasswordRejected, and joins once the password is deleted', async () => {
    const secret =
      'var/lib/rancher/k3s/server/db/objects/secrets/kube-system/vm-observability.node-password.k3s.json';
    const hash = createHash('sha256').update('of another VM').digest('base64');
    const metadata = { name: 'vm-observability.node-password.k3s', namespace: 'kube-system' };
    server.write(
      secret,
      JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata, data: { hash } }),
      0o600,
    );
    lab.azure.node('observability').vm.tags['k3s-role'] = 'observability';
    observability.signal('SIGHUP');
    await told(observability, 'K3sRunning', 'NodePasswordRejected');
    rmSync(join(server.root, secret));
    await ready(observability);
  });

  test('a server whose token in the vault has changed reports TokenChanged, and keeps its token', async () => {
    const before = server.read('var/lib/slipway/join-token');
    lab.azure.vault().set('k3s-token', 'another-token-that-somebody-stored');
    comparedLongAgo();
    await told(server, 'JoinToken', 'TokenChanged');
    expect(server.read('var/lib/slipway/join-token')).toBe(before);
    lab.azure.vault().set('k3s-token', lab.secrets.joinToken);
    server.signal('SIGHUP');
    await ready(server);

    /** Dates the token's file to 1970, so that its comparison with the vault is due, and wakes the daemon. */
    function comparedLongAgo(): void {
      utimesSync(join(server.root, 'var/lib/slipway/join-token'), 1, 1);
      server.signal('SIGHUP');
    }
  });

  test('a server with an unknown settings key reports InvalidSettings with the nearest key, and is Ready after the repair', async () => {
    const path = 'etc/slipway/config.yaml';
    const settings = server.read(path) ?? '';
    server.write(path, `${settings}registry:\n  servers: []\n`);
    server.signal('SIGHUP');
    const { message } = await told(server, 'Settings', 'InvalidSettings');
    expect(message).toContain('registries');
    server.write(path, settings);
    server.signal('SIGHUP');
    await ready(server);
  });

  test('a server behind a proxy reports VaultUnavailable for a vault that does not exist, and is Ready after the repair', async () => {
    const path = 'etc/slipway/config.yaml';
    const settings = server.read(path) ?? '';
    await server.stopDaemon();
    server.write(path, settings.replace('slipway-lab', 'no-such-vault'));
    utimesSync(join(server.root, 'var/lib/slipway/join-token'), 1, 1);
    server.start();
    const { message } = await told(server, 'JoinToken', 'VaultUnavailable');
    expect(message).toContain('azure.keyVault.name');
    server.write(path, settings);
    server.signal('SIGHUP');
    await ready(server);
  });
});

async function told(node: LabNode, type: string, reason: string): Promise<Condition> {
  let seen: Condition | undefined;
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(20)) {
    seen = node.status()?.conditions.find((condition) => condition.type === type);
    if (seen?.reason === reason) {
      return seen;
    }
  }
  expect.fail(
    `${node.name} said ${JSON.stringify(seen)} and not ${reason}\n${node.log.slice(-5).join('\n')}`,
  );
}

async function ready(node: LabNode): Promise<void> {
  await expect.poll(() => node.isReady, { timeout: 120_000, interval: 50 }).toBe(true);
}
