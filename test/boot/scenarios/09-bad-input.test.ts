import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BootedHost, eventually } from '../booted-host.ts';
import { type Cluster, startCluster } from '../cluster.ts';
import { statusLine, told } from '../judge.ts';
import { fillIn, giveUserData, template } from '../provisioning.ts';

const configuration = '/etc/slipway/config.yaml';

let cluster: Cluster;
let server: BootedHost;
let tags: Record<string, string>;
let settings: string;

beforeAll(async () => {
  cluster = await startCluster({ hosts: ['server', 'agent'] });
  server = cluster.host('server');
  tags = cluster.azure.node('server').vm.tags;
  settings = server.read(configuration) ?? '';
});

afterAll(() => cluster?.stop());

/**
 * Resolves to the message of the condition of this type once the condition has this reason. Rejects unless the status
 * line, the output of `systemctl status` and exactly one line of the journal after `since` show the reason too.
 */
async function clearly(type: string, reason: string, since: number): Promise<string> {
  const { message, status } = await told(server, type, reason);
  // The daemon sends the status line before it publishes the condition, but systemd may show the line late on a busy
  // machine.
  await eventually('the status line', async () => (await statusLine(server)).includes(reason), 30_000);
  const { stdout } = await server.run('systemctl', 'status', '--no-pager', '--full', 'slipway');
  expect(stdout).toContain(reason);
  const journal = await server.journal('-u', 'slipway.service');
  const line = `"condition":"${type}","status":"${status}","reason":"${reason}"`;
  expect(journal.filter((entry) => entry.message.includes(line) && entry.time > since)).toHaveLength(1);
  return message;
}

test('a VM without the tag for the role reports the tag and the possible roles', async () => {
  delete tags['k3s-role'];
  await server.powerOn();
  const message = await clearly('Role', 'RoleMissing', server.poweredOnAt);
  for (const part of ['k3s-role', 'server', 'agent', 'observability']) {
    expect(message).toContain(part);
  }
});

test('the message about a misspelt role quotes the role, and the node is Ready once the tag is corrected', async () => {
  const since = Date.now();
  tags['k3s-role'] = 'sever';
  await server.reload();
  expect(await clearly('Role', 'RoleUnknown', since)).toContain('sever');
  tags['k3s-role'] = 'server';
  await server.reload();
  await eventually('Ready', () => server.isReady(since));
});

test.each([
  ['YAML that does not parse', 'azure: { keyVault: [', ['/etc/slipway/config.yaml', 'line 1']],
  ['an unknown key', 'registry: { servers: [] }', ['/etc/slipway/config.yaml', 'registry', 'registries']],
  [
    'an unfilled variable',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a literal template variable
    'azure: { keyVault: { name: "${key_vault_name}" } }',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a literal template variable, as above
    ['/etc/slipway/config.yaml', 'azure.keyVault.name', '${key_vault_name}'],
  ],
])('the error for settings with %s names the file, the place and the remedy', async (_, text, parts) => {
  const since = Date.now();
  server.write(configuration, text);
  const message = await clearly('Settings', 'InvalidSettings', since);
  for (const part of parts) {
    expect(message).toContain(part);
  }
  server.write(configuration, settings);
  await eventually('Ready', () => server.isReady(since));
});

test('cloud-init fails if the user data has an unfilled variable, and the journal names the variable', async () => {
  const agent = cluster.host('agent');
  agent.remove('/etc/cloud/cloud-init.disabled');
  agent.remove('/etc/systemd/system/multi-user.target.wants/slipway.service');
  giveUserData(
    agent,
    fillIn(readFileSync(template, 'utf8'), { config: '{}', slipway_sha256: '0'.repeat(64) }),
  );
  await agent.powerOn();
  const said = async () => (await agent.journal('-t', 'slipway')).map(({ message }) => message);
  await eventually('a line in the journal', async () => (await said()).length > 0);
  expect(await said()).toEqual([expect.stringContaining('slipway_url')]);
  expect((await agent.run('cloud-init', 'status', '--wait')).stdout).toContain('status: error');
});
