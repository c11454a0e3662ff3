import { isIPv6 } from 'node:net';
import type { Role } from '../roles/role.ts';
import { NodeError } from './engine/errors.ts';
import { forPerson } from './engine/severity.ts';
import type { NodePaths } from './paths.ts';
import type { Settings } from './settings/schema.ts';

/** The wanted state of one K3s node, from which its Resources are made. */
export interface K3sNode {
  readonly role: Role;
  /** The role that the settings or a tag request, while the change from server to agent or back waits for consent. */
  readonly wantedRole?: Role | undefined;
  /** The Kubernetes name of the node, from `nodeName`. */
  readonly name: string;
  /** The cloud's id of the VM; absent if it is unknown. */
  readonly vmId?: string | undefined;
  /** The IP address of the node. */
  readonly address: string;
  /**
   * A different address that the cloud or the machine reports now; the node keeps its address until the settings name
   * the new one.
   */
  readonly guessedAddress?: string | undefined;
  /** The interface of the address, if the settings chose the address by its interface or range. */
  readonly interface?: string | undefined;
  /** The address at which nodes in other networks reach this node, if the settings request an external address. */
  readonly externalAddress?: string | undefined;
  /** Why the cloud does not know an address now, while the node keeps the one with which it joined. */
  readonly addressFault?: NodeError | undefined;
  /** The K3s release, such as `v1.36.3+k3s1`; the name of the channel until its release is known. */
  readonly version: string;
  /** The address at which nodes register and that an agent joins, as a URL from `normaliseServer`. */
  readonly server?: string | undefined;
  /** The server that this server joins, once decided, as a URL from `normaliseServer`. */
  readonly joins?: string | undefined;
  readonly arch: 'x64' | 'arm64';
  readonly paths: NodePaths;
  readonly settings: Settings;
  /** The path of Slipway's own executable, which K3s's unit calls. */
  readonly slipway: string;
}

const label = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const subdomain = new RegExp(`^${label}(?:\\.${label})*$`);

/**
 * Returns the Kubernetes node name for a computer name, in lower case as kubelet uses it.
 *
 * Throws `NodeNameInvalid` if the name is not a DNS-1123 subdomain, or if it is longer than the label
 * kubernetes.io/hostname allows.
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
 * Returns the https URL of a K3s server from a host name or address, with or without a port, or from an https URL; the
 * default port is 6443, as in K3s. Throws `ServerUnknown` for any other string, and for a URL with a path, a query, a
 * fragment or a login.
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

/** Returns the labels of this node: first the role's, then those in the settings. */
export function nodeLabels({ role, settings }: K3sNode): readonly string[] {
  return [...role.labels, ...settings.node.labels];
}

/** Returns the taints that this node registers with: first the role's, then those in the settings. */
export function nodeTaints({ role, settings }: K3sNode): readonly string[] {
  return [...role.taints, ...settings.node.taints];
}

/**
 * True if the URL of a server, from `normaliseServer`, has this node's name, its address or a loopback address as host.
 */
export function isOwnServer({ name, address }: Pick<K3sNode, 'name' | 'address'>, server: string): boolean {
  return [name, asInUrl(address), ...loopbacks].includes(hostOf(server));
}

/** True if the URL of a server, from `normaliseServer`, has a loopback address as host. */
export function isLoopbackServer(server: string): boolean {
  return loopbacks.includes(hostOf(server));
}

const loopbacks: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/** Returns the host in the URL of a server, from `normaliseServer`; an IPv6 address without brackets. */
export function hostOf(server: string): string {
  return new URL(server).hostname.replace(/^\[|\]$/g, '');
}

/** Returns an address as a URL has it, since an IPv6 address has several forms: `fd00::5` for `FD00:0::5`. */
function asInUrl(address: string): string {
  const url = `https://[${address}]`;
  return isIPv6(address) && URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : address;
}

/** True if this node is the only server of its cluster, because it keeps the cluster in SQLite. */
export function isOnlyServer(node: K3sNode): boolean {
  return isServer(node) && node.settings.k3s.datastore === 'sqlite';
}

/**
 * True if this node may manage what the whole cluster shares, such as Secrets, charts and GitOps. With SQLite, only one
 * server may do so: the one whose settings name no other server. Of several servers, each may, and a Lease decides
 * which one does (acting.ts).
 */
export function mayActForCluster(node: K3sNode): boolean {
  const { server } = node;
  const namesNoOther = server === undefined || isOwnServer(node, server);
  return isServer(node) && (!isOnlyServer(node) || namesNoOther);
}

/**
 * Returns the host of the address at which nodes register, for the certificates of all servers; empty with only one
 * server.
 */
export function registrationNames({ server, settings }: K3sNode): readonly string[] {
  const isNamed = server !== undefined && settings.k3s.datastore !== 'sqlite';
  return isNamed ? [new URL(server).hostname.replace(/^\[|\]$/g, '')] : [];
}

/**
 * True if this node runs the K3s command `server`. Code that depends on how the node belongs to its cluster asks the
 * kind of membership instead.
 */
export function isServer({ role }: Pick<K3sNode, 'role'>): boolean {
  return role.k3s === 'server';
}

/** Returns the official name of the systemd unit that runs this K3s command. */
export function unitName(command: Role['k3s']): string {
  return command === 'server' ? 'k3s.service' : 'k3s-agent.service';
}
