/** Tests the nodes, the ports and the validation of variables in the Terraform configuration for Azure. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { terraform, terraformMissing } from './terraform.ts';

interface Evaluated {
  readonly nodes: Readonly<Record<string, { readonly role: string }>>;
  readonly servers: Readonly<Record<string, { readonly ip: string }>>;
  readonly registration: string;
  readonly inbound: Readonly<
    Record<
      string,
      {
        readonly priority: number;
        readonly ports: readonly string[];
        readonly sources: readonly string[];
        readonly to: string;
      }
    >
  >;
}

const from = resolve('packaging/terraform');
const folder = mkdtempSync(join(tmpdir(), 'slipway-terraform-'));
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * Copies roles.tf, which needs no provider, and terraform.tfvars.example with these changes into `folder`. Returns the
 * option that makes terraform use `folder`.
 */
function prepare(changes: Readonly<Record<string, unknown>>): string {
  for (const name of ['variables.tf', 'variables-network.tf', 'variables-servers.tf', 'roles.tf']) {
    copyFileSync(join(from, name), join(folder, name));
  }
  copyFileSync(join(from, 'terraform.tfvars.example'), join(folder, 'terraform.tfvars'));
  writeFileSync(join(folder, 'zz.auto.tfvars.json'), JSON.stringify(changes));
  return `-chdir=${folder}`;
}

function evaluated(changes: Readonly<Record<string, unknown>> = {}): Evaluated {
  const input =
    'jsonencode({ nodes = local.nodes, servers = local.servers, registration = local.registration_ip, inbound = local.inbound })\n';
  const { status, stdout } = terraform([prepare(changes), 'console'], input);
  expect(status).toBe(0);
  return JSON.parse(JSON.parse(stdout));
}

/** Returns each invalid line of the configuration with the first line of its error message. */
function rejected(changes: Readonly<Record<string, unknown>>): readonly string[] {
  const { stdout } = terraform([prepare(changes), 'plan', '-json', '-input=false']);
  const lines = stdout.trim().split('\n');
  return lines
    .map((line) => JSON.parse(line))
    .filter((line) => line.type === 'diagnostic' && line['@level'] === 'error')
    .map(({ diagnostic }) => `${diagnostic.snippet.code}: ${diagnostic.detail.split('\n')[0]}`);
}

test('the Terraform configuration for Azure gives a public address only to the ingress node', () => {
  const [network = '', instances = ''] = ['network.tf', 'nodes.tf'].map((name) =>
    readFileSync(join(from, name), 'utf8'),
  );
  const [entry] = /"azurerm_public_ip" "ingress" \{\n[\s\S]*?\n\}/.exec(network) ?? [];
  expect(entry).toMatch(/count +=\s+var\.ingress \? 1 : 0/);
  expect(instances.match(/public_ip_address_id.*/g)).toEqual([
    'public_ip_address_id          = each.value.role == "ingress" ? azurerm_public_ip.ingress[0].id : null',
  ]);
});

test('the Terraform configuration for Azure limits each inbound rule to the group of the ingress node or to the subnet', () => {
  const network = readFileSync(join(from, 'network.tf'), 'utf8');
  const [rule] = /"azurerm_network_security_rule" "inbound" \{\n[\s\S]*?\n\}/.exec(network) ?? [];
  expect(rule).toMatch(/destination_address_prefix += each\.value\.to == "nodes" \? var\.subnet : null/);
  expect(rule).toMatch(/destination_application_security_group_ids += each\.value\.to == "ingress" \?/);
});

/** Returns the block with this beginning from a file of the configuration. */
function block(name: string, head: string): string {
  const text = readFileSync(join(from, name), 'utf8');
  const at = text.indexOf(head);
  expect(at).toBeGreaterThanOrEqual(0);
  return text.slice(at, text.indexOf('\n}', at) + 2);
}

describe('several servers in the Terraform configuration for Azure', () => {
  test('share a load balancer, which only the probe of Azure may reach besides the subnet', () => {
    for (const head of ['"azurerm_lb" "servers"', '"azurerm_lb_rule" "api"', '"azurerm_lb_probe" "api"']) {
      expect(block('servers.tf', head)).toMatch(/count +=\s+local\.balanced \? 1 : 0/);
    }
    expect(block('servers.tf', '"azurerm_lb" "servers"')).toMatch(
      /private_ip_address +=\s+local\.registration_ip/,
    );
    const probe = block('servers.tf', '"azurerm_network_security_rule" "probe"');
    expect(probe).toMatch(/source_address_prefix +=\s+"AzureLoadBalancer"/);
    expect(probe).toMatch(/destination_port_range +=\s+"6443"/);
  });

  test('find each other by their own addresses, and have embedded etcd', () => {
    const settings = block('nodes.tf', 'locals {');
    expect(settings).toContain('role == "server" && local.balanced ? ["k3s"] : []');
    expect(settings).toContain('{ datastore = "etcd", peers = local.server_ips }');
  });

  test('mark only the first server, and only until the cluster is founded', () => {
    const [mark, ...more] = readFileSync(join(from, 'nodes.tf'), 'utf8').match(/.*"k3s-init".*/g) ?? [];
    expect(more).toEqual([]);
    expect(mark).toContain('local.balanced && var.founding && contains(keys(local.first), each.key)');
  });

  test('have ports for etcd that only servers reach', () => {
    const rule = block('network.tf', '"azurerm_network_security_rule" "inbound"');
    expect(rule).toMatch(/destination_address_prefixes +=.*"servers" \? local\.server_ips : null/);
    const [etcd] = /.*"2379-2380".*/.exec(readFileSync(join(from, 'roles.tf'), 'utf8')) ?? [];
    expect(etcd).toContain('local.balanced ? ["etcd"] : []');
    expect(etcd).toContain('sources = local.server_ips, to = "servers"');
  });
});

describe('the storage account for backups in the Terraform configuration for Azure', () => {
  test('has no key, denies the internet, and keeps what is deleted', () => {
    const account = block('backup.tf', '"azurerm_storage_account" "backup"');
    expect(account).toMatch(/shared_access_key_enabled +=\s+false/);
    expect(account).toMatch(/allow_nested_items_to_be_public +=\s+false/);
    expect(account).toMatch(/default_action +=\s+"Deny"/);
    expect(account).toMatch(/\n {4}delete_retention_policy \{\n {6}days = 30/);
    expect(account).toMatch(/container_delete_retention_policy \{\n {6}days = 30/);
  });

  test('gives only the identity of the servers access, and only to the container', () => {
    const text = readFileSync(join(from, 'backup.tf'), 'utf8');
    expect(text.match(/"azurerm_role_assignment"/g)).toHaveLength(1);
    const role = block('backup.tf', '"azurerm_role_assignment" "backup"');
    expect(role).toMatch(/scope +=\s+azurerm_storage_container\.backup\[0\]\.id/);
    expect(role).toMatch(/principal_id +=\s+azurerm_user_assigned_identity\.node\["server"\]\.principal_id/);
  });
});

describe.skipIf(terraformMissing)(
  `the Terraform configuration for Azure${terraformMissing ? ' (needs terraform)' : ''}`,
  () => {
    test('opens nothing to an address outside the subnet by default', () => {
      const { inbound, nodes } = evaluated();
      expect(Object.values(inbound).flatMap(({ sources }) => sources)).toEqual(Array(3).fill('10.0.1.0/24'));
      expect(Object.values(nodes).map(({ role }) => role)).not.toContain('ingress');
    });

    test('opens only ports 80 and 443 of the ingress node to web_sources', () => {
      const { inbound, nodes } = evaluated({ ingress: true, web_sources: ['203.0.113.0/24'] });
      const { web, ...others } = inbound;
      expect(web).toMatchObject({ ports: ['80', '443'], sources: ['203.0.113.0/24'], to: 'ingress' });
      expect(Object.values(others).flatMap(({ sources }) => sources)).toEqual(Array(3).fill('10.0.1.0/24'));
      expect(nodes['fleet-ingress']?.role).toBe('ingress');
    });

    test('opens SSH only to ssh_sources', () => {
      const { inbound } = evaluated({ ssh_sources: ['203.0.113.7/32'] });
      const ssh = Object.values(inbound).filter(({ ports }) => ports.includes('22'));
      expect(ssh.map(({ sources, to }) => [...sources, to])).toEqual([['203.0.113.7/32', 'nodes']]);
    });

    test('gives each rule its own priority, which precedes that of the rule that denies the rest', () => {
      const { inbound } = evaluated({ ingress: true, ssh_sources: ['203.0.113.7/32'] });
      const priorities = Object.values(inbound).map(({ priority }) => priority);
      expect(new Set(priorities).size).toBe(5);
      expect(Math.max(...priorities)).toBeLessThan(4000);
    });

    test('gives several servers addresses that no other node gets, and their ports only to servers', () => {
      const several = { servers: 3, backup_account_name: 'backups' };
      const { servers, registration, inbound, nodes } = evaluated(several);
      const ips = Object.values(servers).map(({ ip }) => ip);
      expect(Object.keys(servers)).toEqual(['fleet-server', 'fleet-server-2', 'fleet-server-3']);
      expect(ips).toEqual(['10.0.1.4', '10.0.1.253', '10.0.1.252']);
      expect(registration).toBe('10.0.1.254');
      expect(inbound.etcd).toMatchObject({ ports: ['2379-2380'], sources: ips, to: 'servers' });
      expect(nodes['fleet-server-3']?.role).toBe('server');
    });

    test('keeps a single server without a load balancer and without ports for etcd', () => {
      const { servers, registration, inbound } = evaluated();
      expect(Object.keys(servers)).toEqual(['fleet-server']);
      expect(registration).toBe('10.0.1.4');
      expect(inbound.etcd).toBeUndefined();
    });

    test('accepts the values of the example', () => {
      expect(rejected({})).toEqual([]);
    });

    test.each([
      ['name', 'Fleet', '3 to 16 lower-case letters'],
      ['key_vault_name', 'my--vault', 'single hyphens'],
      ['key_vault_name', 'ab', '3 to 24'],
      ['key_vault_name', `a${'b'.repeat(24)}`, '3 to 24'],
      ['registry_name', 'myteam.azurecr.io', 'without the suffix .azurecr.io'],
      ['registry_sku', 'Free', 'Basic, Standard or Premium'],
      ['agents', { ingress: {} }, 'call no agent server, observability or ingress'],
      ['agents', { Web_1: {} }, 'lower-case letters'],
      ['address_space', '10.0.0.0', '10.0.0.0/16'],
      ['subnet', '10.0.1.0/30', '/29 or larger'],
      ['servers', 2, '1, 3 or 5'],
      ['servers', 3, 'Set backup_account_name'],
      ['backup_account_name', 'My-Backups', '3 to 24 lower-case letters'],
      ['backup_replication', 'XRS', 'LRS, ZRS, GRS'],
      ['ssh_sources', ['203.0.113.7'], '203.0.113.7/32 for one address'],
      ['ssh_sources', ['Internet'], 'IPv4 ranges'],
      ['ssh_sources', ['2001:db8::/32'], 'IPv4 ranges'],
      ['web_sources', [], 'set ingress = false'],
      ['web_sources', ['*'], '203.0.113.0/24'],
    ])('rejects %s = %j with a message', (name, value, message) => {
      const [problem = '', ...more] = rejected({ [name]: value });
      expect(problem).toContain(`"${name}"`);
      expect(problem).toContain(message);
      expect(more).toEqual([]);
    });
  },
);
