import { isIPv6 } from 'node:net';
import type { Role } from '../roles/role.ts';
import { NodeError } from './engine/errors.ts';
import type { Command } from './engine/host.ts';
import { forPerson } from './engine/severity.ts';
import type { NodePaths } from './paths.ts';
import { kubectl } from './resources/kubectl.ts';
import type { Settings } from './settings/schema.ts';

/** What one K3s node is to be: everything this folder's Resources are made of. */
export interface K3sNode {
  readonly role: Role;
  /** The role of another kind that settings or tag ask for, and that waits for consent. */
  readonly wantedRole?: Role | undefined;
  /** The result of `nodeName`. */
  readonly name: string;
  /** The node's IP address. */
  readonly address: string;
  /** Another address that cloud or machine report now; the node keeps its own until the settings ask for this one. */
  readonly guessedAddress?: string | undefined;
  /** The K3s release: `v1.36.3+k3s1`. */
  readonly version: string;
  /** The server an agent joins, as `normaliseServer` returns it. */
  readonly server?: string | undefined;
  readonly arch: 'x64' | 'arm64';
  readonly paths: NodePaths;
  readonly settings: Settings;
  /** The path of our own executable, which K3s's unit calls. */
  readonly slipway: string;
}

const label = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const subdomain = new RegExp(`^${label}(?:\\.${label})*$`);

/**
 * Returns the Kubernetes node name for a computer name: in lower case, as kubelet has it.
 *
 * `NodeNameInvalid` if that is not a DNS-1123 subdomain, or longer than the label kubernetes.io/hostname can hold.
 */
export function nodeName(computerName: string): string {
  const name = computerName.trim().toLowerCase();
  if (subdomain.test(name) && name.length <= 63) {
    return name;
  }
  throw new NodeError(
    'NodeNameInvalid',
    `The computer name "${computerName}" cannot be a Kubernetes node name: up to 63 lower-case letters, digits, ` +
      'dashes and dots, beginning and ending with a letter or digit. Set node.name.',
    forPerson,
  );
}

/**
 * Returns the https URL of a K3s server given as an address, `host:port` or URL; the default port is K3s's own, 6443.
 */
export function normaliseServer(server: string): string {
  const text = server.trim();
  const written = /^[a-z]+:\/\//i.test(text) ? text : `https://${isIPv6(text) ? `[${text}]` : text}`;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url?.protocol !== 'https:' || !isBare(url)) {
    throw serverUnusable(server);
  }
  const port = url.port || (/:443\/?$/.test(written) ? '443' : '6443');
  return `https://${url.hostname}:${port}`;
}

function isBare(url: URL): boolean {
  return url.pathname === '/' && !url.search && !url.hash && !url.username && !url.password;
}

function serverUnusable(server: string): NodeError {
  return new NodeError(
    'ServerUnknown',
    `"${server}" is not the address of a K3s server: give the tag k3s-server or k3s.server a host name, an address, ` +
      'or an https URL without a path, such as https://10.0.0.4:6443.',
    forPerson,
  );
}

/** Returns the labels of this node: those of the role, then those of the settings. */
export function nodeLabels({ role, settings }: K3sNode): readonly string[] {
  return [...role.labels, ...settings.node.labels];
}

/** Returns the taints this node registers with: those of the role, then those of the settings. */
export function nodeTaints({ role, settings }: K3sNode): readonly string[] {
  return [...role.taints, ...settings.node.taints];
}

/** Returns the systemd unit that runs this K3s command, by its official name. */
export function unitName(command: Role['k3s']): string {
  return command === 'server' ? 'k3s.service' : 'k3s-agent.service';
}

/** Returns the kubeconfig this node may use: the admin's on a server, kubelet's own on an agent. */
function nodeKubeconfig({ role, paths }: K3sNode): string {
  return role.k3s === 'server' ? paths.k3s.kubeconfig : paths.k3s.kubeletKubeconfig;
}

/**
 * Returns a kubectl command with the rights of kubelet, which every node that runs pods has: its own Node, and events.
 */
export function kubeletKubectl({ paths }: K3sNode, ...args: readonly string[]): Command {
  return kubectl({ k3s: paths.k3s.binary, kubeconfig: paths.k3s.kubeletKubeconfig }, ...args);
}

/** Returns a kubectl command with the rights of this node. */
export function nodeKubectl(node: K3sNode, ...args: readonly string[]): Command {
  return kubectl({ k3s: node.paths.k3s.binary, kubeconfig: nodeKubeconfig(node) }, ...args);
}
