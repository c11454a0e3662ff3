/** Tests the killall and uninstall scripts, which have the names of K3s's own scripts, in the shell of this machine. */
import { spawnSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { k3sScripts } from '../../../src/agent/parts/k3s/teardown/scripts.ts';
import { aNode } from '../../unit/agent/a-node.ts';
import { temporaryFolder } from '../host/folder.ts';

/** Installs the K3s scripts of a node and runs one of them with --dry-run; returns its exit code and outputs. */
async function run(role: 'server' | 'agent', name: string, slipway: string, root: string) {
  const host = nodeHost();
  for (const script of k3sScripts(aNode(role, { root, slipway }))) {
    const finding = await script.check(host);
    if (finding.state === 'Drifted') {
      await finding.drift.remedy(host);
    }
    expect((await script.check(host)).state).toBe('InSync');
  }
  const { status, stdout, stderr } = spawnSync(join(root, 'usr/local/bin', name), ['--dry-run'], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

async function executable(): Promise<string> {
  const path = join(await temporaryFolder(), "an operator's slipway");
  await writeFile(path, '#!/bin/sh\nfor word in "$@"; do echo "<$word>"; done\nexit 7\n');
  await chmod(path, 0o755);
  return path;
}

test.each([
  ['server', 'k3s-killall.sh', 'k3s-killall'],
  ['server', 'k3s-uninstall.sh', 'k3s-uninstall'],
  ['agent', 'k3s-killall.sh', 'k3s-killall'],
  ['agent', 'k3s-agent-uninstall.sh', 'k3s-uninstall'],
] as const)('on a node with the role %s, %s runs slipway %s', async (role, name, command) => {
  const root = await temporaryFolder();
  const { status, stdout } = await run(role, name, await executable(), root);
  expect(stdout).toBe(`<${command}>\n<--root>\n<${root}>\n<--dry-run>\n`);
  expect(status).toBe(7);
});

test('a script that replaces one of K3s fails without the executable of Slipway, and reports that it did nothing', async () => {
  const { status, stderr } = await run(
    'server',
    'k3s-killall.sh',
    '/nowhere/slipway',
    await temporaryFolder(),
  );
  expect(stderr).toMatch(/^k3s-killall\.sh: \/nowhere\/slipway is not there, and nothing was done/);
  expect(status).toBe(1);
});
