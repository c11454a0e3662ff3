/** Tests that a new role in the table takes effect wherever the program depends on the role. */
import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { roleOf } from '../../../src/agent/knowledge.ts';
import { renderConfig } from '../../../src/agent/parts/k3s/config/config.ts';
import { keepingRole } from '../../../src/agent/parts/k3s/membership/kept-role.ts';
import { nodePaths } from '../../../src/agent/paths.ts';
import { type Loaded, load } from '../../../src/agent/settings/load.ts';
import { roleSetting } from '../../../src/agent/settings/sections/role.ts';
import { roleHelp } from '../../../src/commands/cli-common.ts';
import { findRole, roles } from '../../../src/roles/index.ts';
import type { Role } from '../../../src/roles/role.ts';
import { memoryHost } from '../../lab/memory-host.ts';
import { aNode } from '../agent/a-node.ts';

const lantern = {
  name: 'lantern',
  summary: 'a node that shines',
  k3s: 'agent',
  labels: ['role=lantern'],
  taints: ['lantern=true:NoSchedule'],
  gitops: false,
  memory: 512,
} as const satisfies Role;
const withLantern = [...roles, lantern];

function wanting(role: string): Promise<Loaded> {
  const commandLine = [{ option: '--role', path: 'role', value: role }];
  return load(memoryHost(), { paths: nodePaths('/'), commandLine });
}

test('a VM can have a new role, and the error for a misspelt name suggests this role', async () => {
  expect(roleOf(await wanting('Lantern'), [], withLantern)).toBe(lantern);
  const [near, right] = [await wanting('lantrn'), await wanting('lantern')];
  expect(() => roleOf(near, [], withLantern)).toThrow(
    /Did you mean lantern\? Set it to one of: server, .*, lantern\.$/,
  );
  expect(() => roleOf(right)).toThrow('is not a role of Slipway');
  expect(findRole('lantern')).toBeUndefined();
});

test('the reference of settings and the help of --role list a new role', () => {
  expect(z.globalRegistry.get(roleSetting(withLantern))?.description).toMatch(
    /: server, .*, lantern, or a role that roles defines\. An open tag/,
  );
  expect(roleHelp(withLantern)).toMatch(/^server, .* or lantern, whatever the tag says$/);
});

test('K3s gets the label and the taint of a new role', () => {
  expect(renderConfig(aNode(lantern))).toMatch(/role=lantern[\s\S]*lantern=true:NoSchedule/);
});

test('a node that was installed with a new role keeps this role until an operator consents to a change', async () => {
  const host = memoryHost();
  host.files.write(
    '/etc/systemd/system/k3s-agent.service',
    '[Service]\nExecStart=/usr/local/bin/k3s agent\n',
  );
  host.files.write('/etc/rancher/k3s/config.yaml', 'node-label:\n  - role=lantern\n');
  expect((await keepingRole(host, aNode('server'), false, withLantern)).role).toBe(lantern);
  expect((await keepingRole(host, aNode('server'), false)).role.name).toBe('agent');
});

test('a role name that is not in the table does not compile', () => {
  // @ts-expect-error This role does not exist.
  const chosen: (typeof roles)[number]['name'] = 'lantern';
  expect(chosen).toBe('lantern');
});
