/** Tests the ports, tags, settings and rules that the Terraform configuration for Oracle Cloud gives its nodes. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { roleOf } from '../../../src/agent/knowledge.ts';
import { lookAtRules } from '../../../src/agent/parts/k3s/firewall-look.ts';
import { k3sSettingsProblems } from '../../../src/agent/parts/k3s/flags/config-keys.ts';
import { nodePaths } from '../../../src/agent/paths.ts';
import { load } from '../../../src/agent/settings/load.ts';
import { withTags } from '../../../src/agent/settings/tags.ts';
import { memoryHost } from '../../lab/memory-host.ts';
import { oracleExample } from '../../lab/platforms/oracle-example.ts';
import { aNode } from '../../unit/agent/a-node.ts';
import { terraform, terraformMissing } from './terraform.ts';

/** The filter table of Oracle's Ubuntu images, as iptables-save prints it. */
const image = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
COMMIT
`;

interface Evaluated {
  readonly settings: Readonly<Record<string, object>>;
  readonly tags: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly firewall: Readonly<Record<string, string>>;
  /** The secrets that the policies let each role read. */
  readonly secrets: Readonly<Record<'server' | 'agents', readonly string[]>>;
  readonly inbound: Readonly<
    Record<string, { readonly node: string; readonly port: number; readonly source: string }>
  >;
}

const folder = mkdtempSync(join(tmpdir(), 'slipway-terraform-'));
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * Evaluates the locals of roles.tf, which needs no provider, for the values in terraform.tfvars.example with these
 * changes.
 */
function evaluated(changes: Readonly<Record<string, unknown>> = {}): Evaluated {
  const from = resolve('packaging/terraform/oracle');
  copyFileSync(join(from, 'variables.tf'), join(folder, 'variables.tf'));
  copyFileSync(join(from, 'roles.tf'), join(folder, 'roles.tf'));
  copyFileSync(join(from, 'terraform.tfvars.example'), join(folder, 'terraform.tfvars'));
  writeFileSync(join(folder, 'zz.auto.tfvars.json'), JSON.stringify(changes));
  const names = ['settings', 'tags', 'firewall', 'inbound', 'secrets']
    .map((name) => `${name} = local.${name}`)
    .join(', ');
  const { status, stdout } = terraform([`-chdir=${folder}`, 'console'], `jsonencode({ ${names} })\n`);
  expect(status).toBe(0);
  return JSON.parse(JSON.parse(stdout));
}

const nodes = ['ingress', 'server', 'worker'];

test('the Terraform configuration for Oracle Cloud routes the private subnet through the ingress node, which may forward packets', () => {
  const [network = '', instances = ''] = ['network.tf', 'nodes.tf'].map((name) =>
    readFileSync(resolve('packaging/terraform/oracle', name), 'utf8'),
  );
  const [routes] = /"oci_core_route_table" "private" \{\n[\s\S]*?\n\}/.exec(network) ?? [];
  expect(routes).toContain('network_entity_id = data.oci_core_private_ips.ingress.private_ips[0].id');
  expect(network).toMatch(/prohibit_public_ip_on_vnic = true/);
  expect(instances).toMatch(/skip_source_dest_check = each\.key == "ingress"/);
  expect(instances).toMatch(/assign_public_ip = each\.key == "ingress"/);
});

describe.skipIf(terraformMissing)(
  `the Terraform configuration for Oracle Cloud${terraformMissing ? ' (needs terraform)' : ''}`,
  () => {
    let example: Evaluated;
    beforeAll(() => {
      example = evaluated();
    });

    test.each(nodes)('gives valid settings, tags and a role to the node %s', async (name) => {
      const node = await nodeOf(example, name);
      expect([node.role.name, node.settings.cloud]).toEqual([name === 'worker' ? 'agent' : name, 'oracle']);
      expect(node.server).toBe(name === 'server' ? undefined : '10.0.2.10');
    });

    test('gives nodes the same tags, settings and firewall rules that the lab computes without Terraform', () => {
      const { settings, tags, firewall } = evaluated({ registries: ['fra.ocir.io'] });
      const read = oracleExample({ registries: ['fra.ocir.io'] });
      expect(Object.fromEntries(read.map((node) => [node.name, node.settings]))).toEqual(settings);
      expect(Object.fromEntries(read.map((node) => [node.name, node.tags]))).toEqual(tags);
      expect(Object.fromEntries(read.map((node) => [node.name, node.firewall]))).toEqual(firewall);
    });

    test("lets only the server read the secrets in server_secrets, and puts them into no node's settings", () => {
      const { secrets, settings } = evaluated({ server_secrets: ['cloudflare-token'] });
      expect(secrets).toEqual({
        server: ['k3s-agent-token', 'k3s-token', 'cloudflare-token'],
        agents: ['k3s-agent-token'],
      });
      expect(JSON.stringify(settings)).not.toContain('cloudflare-token');
    });

    test('sets up NAT for the private subnet only on the ingress node', async () => {
      const nat = await Promise.all(
        nodes.map(async (name) => (await nodeOf(example, name)).settings.network.nat),
      );
      expect(nat.map(({ from }) => from)).toEqual([['10.0.2.0/24'], [], []]);
      expect(nat[0]?.except).toEqual(['10.0.0.0/16']);
    });

    test.each(nodes)(
      "adds to the image's firewall rules those that the doctor requires on the node %s",
      async (name) => {
        const node = { ...aNode('agent'), ...(await nodeOf(example, name)) };
        expect(await rulesOf(image, node)).toMatchObject({ level: 'warning' });
        expect(await rulesOf(opened(example.firewall[name]), node)).toMatchObject({ level: 'ok' });
      },
    );

    test("adds nothing to the image's firewall rules without consent", () => {
      const { firewall } = evaluated({ open_image_firewall: false });
      expect(firewall).toEqual({ ingress: '', server: '', worker: '' });
    });

    test('lets the internet reach only ports 80 and 443 of the ingress node', () => {
      const open = Object.values(example.inbound).filter(({ source }) => !source.startsWith('10.'));
      expect(open.map(({ node, port }) => `${node} ${port}`).toSorted()).toEqual([
        'ingress 443',
        'ingress 80',
      ]);
    });

    test("opens SSH on the ingress node to the given addresses, and on other nodes to the ingress node's subnet", () => {
      const { inbound } = evaluated({ ssh_sources: ['203.0.113.7/32'] });
      const ssh = Object.values(inbound).filter(({ port }) => port === 22);
      expect(ssh.map(({ node, source }) => `${node} ${source}`).toSorted()).toEqual([
        'ingress 203.0.113.7/32',
        'server 10.0.1.0/24',
        'worker 10.0.1.0/24',
      ]);
    });
  },
);

/** Returns the settings, role and server that result from the settings file and the tags of a node. */
async function nodeOf({ settings, tags }: Evaluated, name: string) {
  const files = { '/etc/slipway/config.yaml': JSON.stringify(settings[name]) };
  const loaded = await load(memoryHost({ files }), { paths: nodePaths('/'), check: k3sSettingsProblems });
  const tagged = withTags(loaded, tags[name] ?? {});
  const { settings: merged } = tagged.loaded;
  return { settings: merged, role: roleOf(tagged.loaded), server: merged.k3s.server };
}

/** Returns the image's filter table with `rules` before its first rule. */
function opened(rules = ''): string {
  const added = rules.split('; ').map((rule) => `-A ${rule}\n`);
  return image.replace('-A INPUT', `${added.join('')}-A INPUT`);
}

function rulesOf(saved: string, node: Parameters<typeof lookAtRules>[1]) {
  const host = memoryHost()
    .on({ file: 'iptables-save', args: ['-t', 'filter'] }, saved)
    .on({ file: 'nft', args: ['list', 'ruleset'] }, { exitCode: 127 });
  return lookAtRules(host, node);
}
