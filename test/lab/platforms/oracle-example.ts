/** The nodes that packaging/terraform/oracle creates, derived without Terraform. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { exampleVariables, localIn, type Variables } from '../terraform-values.ts';

const folder = join(import.meta.dirname, '../../../packaging/terraform/oracle');

const section = z.record(z.string(), z.unknown());
const values = z.object({
  roles: z.record(z.string(), z.string()),
  everywhere: section,
  here: z.record(z.string(), section),
});
const variables = z.object({
  name: z.string(),
  vcn: z.string(),
  public_subnet: z.string(),
  private_subnet: z.string(),
  web_sources: z.array(z.string()),
  open_image_firewall: z.boolean(),
  settings: section,
});

/** A node of the example as its cloud and Slipway see it. */
export interface ExampleNode {
  readonly name: 'ingress' | 'server' | 'worker';
  readonly hostname: string;
  readonly address: string;
  readonly tags: Readonly<Record<string, string>>;
  /**
   * The rules for the host's firewall, as in the user data's variable `firewall`; empty unless `open_image_firewall` is
   * set.
   */
  readonly firewall: string;
  /** The settings, except for the vault, which Terraform creates. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * Returns the nodes that Terraform would create from roles.tf. The value of a variable comes from `changes`, otherwise
 * from terraform.tfvars.example, otherwise from the variable's default.
 *
 * Reimplements the function calls in roles.tf and nodes.tf for addresses, tags and merged settings. A test compares the
 * result with Terraform's.
 */
export function oracleExample(changes: Variables = {}): readonly ExampleNode[] {
  const given = { ...exampleVariables(folder), ...changes };
  const text = readFileSync(join(folder, 'roles.tf'), 'utf8');
  const local = (name: string) => localIn(text, name, given);
  const { name: fleet, settings, ...subnets } = z.parse(variables, given);
  const { roles, everywhere, here } = z.parse(values, {
    roles: local('roles'),
    everywhere: local('everywhere'),
    here: local('here'),
  });
  const addresses = {
    ingress: host(subnets.public_subnet, 10),
    server: host(subnets.private_subnet, 10),
    worker: host(subnets.private_subnet, 11),
  };
  return (['ingress', 'server', 'worker'] as const).map((name) => ({
    name,
    hostname: `${fleet}-${name}`,
    address: addresses[name],
    tags: {
      'k3s-role': roles[name] ?? '',
      ...(name !== 'server' && { 'k3s-server': addresses.server }),
    },
    firewall: subnets.open_image_firewall ? hostRules(name, subnets).join('; ') : '',
    settings: { ...everywhere, ...here[name], ...settings },
  }));
}

type Networks = Omit<z.output<typeof variables>, 'name' | 'settings'>;

/** Returns the firewall rules of a node, as `host_rules` in roles.tf does. */
function hostRules(node: string, networks: Networks): readonly string[] {
  const { vcn, private_subnet: behind, web_sources: web } = networks;
  const open = (sources: readonly string[], protocol: string, port: number) =>
    sources.map((source) => `INPUT -s ${source} -p ${protocol} --dport ${port} -j ACCEPT`);
  const ports = [
    ...open([vcn], 'udp', 8472),
    ...(node === 'ingress' ? [...open(web, 'tcp', 80), ...open(web, 'tcp', 443)] : []),
    ...open([vcn], 'tcp', 10250),
    ...(node === 'server' ? open([vcn], 'tcp', 6443) : []),
  ];
  const pods = ['INPUT -s 10.42.0.0/16', 'FORWARD -s 10.42.0.0/16', 'FORWARD -d 10.42.0.0/16'];
  const forwarded = [
    `FORWARD -s ${behind}`,
    `FORWARD -d ${behind} -m conntrack --ctstate RELATED,ESTABLISHED`,
  ];
  const accepted = [...pods, ...(node === 'ingress' ? forwarded : [])].map((rule) => `${rule} -j ACCEPT`);
  return [...ports, ...accepted];
}

/** Returns the address with this host number in a /24 range, as Terraform's cidrhost does. */
function host(range: string, number: number): string {
  return range.replace(/\d+\/24$/, String(number));
}
