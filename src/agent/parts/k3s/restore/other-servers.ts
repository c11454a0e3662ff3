import { isIP } from 'node:net';
import type { HostReader } from '../../../engine/host.ts';
import { inSync, type Resource, waiting } from '../../../engine/resource.ts';
import { forPerson } from '../../../engine/severity.ts';
import { hostOf, isOwnServer, normaliseServer, unitName } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { showUnit } from '../../../resources/unit.ts';
import type { Settings } from '../../../settings/schema.ts';
import { etcdMembers } from '../datastore/etcd-members.ts';
import { configuredServer } from '../membership/founding/configured-server.ts';
import { clusterOnDisk } from '../membership/founding/disk.ts';
import { signAt } from '../membership/founding/failed-ping.ts';
import { resolvedServers } from '../membership/founding/peers.ts';
import { restoreRefused } from './restore-refused.ts';
import { isPlaced, restoreUnderWay } from './restore-state.ts';

/** The port at which etcd answers clients, besides the port of the K3s server in its URL. */
const etcdPort = '2379';

/** The other servers of the cluster, as URLs from `normaliseServer`. */
export interface OtherServers {
  /** The servers in k3s.peers, and the one that config.yaml names. */
  readonly peers: readonly string[];
  /** The address at which nodes register; a balancer there may lead to this machine, while its K3s runs. */
  readonly registration: readonly string[];
  /** The other members of etcd; empty for a cluster without etcd, `undefined` if nothing shows them. */
  readonly members: readonly string[] | undefined;
  /** The names and addresses of this machine, which it does not ask. */
  readonly own: readonly string[];
}

/** Returns the other servers that the settings, the configuration of K3s and the members of etcd name. */
export async function otherServersOf(
  host: HostReader,
  paths: NodePaths,
  settings: Settings,
  own: readonly string[],
): Promise<OtherServers> {
  const { k3s } = settings;
  const configured = await configuredServer(host, paths);
  const members = await otherMembers(host, paths, settings);
  const urls = (texts: readonly (string | undefined)[]) =>
    texts.flatMap((text) => (text ? normaliseServer(text) : []));
  return { peers: urls([...k3s.peers, configured]), registration: urls([k3s.server]), members, own };
}

/** Returns the members that a restore under way has noted, or else those that the K3s that runs here names. */
async function otherMembers(
  host: HostReader,
  paths: NodePaths,
  settings: Settings,
): Promise<OtherServers['members']> {
  const underWay = await restoreUnderWay(host, paths);
  if (underWay !== undefined) {
    return underWay.datastore === 'etcd' ? underWay.members : [];
  }
  const onDisk = await clusterOnDisk(host, paths);
  const isEtcd = onDisk === 'empty' ? settings.k3s.datastore === 'etcd' : onDisk !== 'sqlite';
  if (!isEtcd) {
    return [];
  }
  return (await isK3sDown(host)) ? undefined : (await etcdMembers(host, { paths, settings }))?.servers;
}

/**
 * Throws `RestoreRefused` if another server of the cluster answers or hangs, if its name does not resolve, or if
 * nothing shows the other servers of etcd: a restore beside a running server would make two clusters of one. Asks the
 * registration address only while K3s does not run here. Asks no server once K3s was started with the copy, because a
 * server that answers then has joined the restored cluster.
 */
export async function requireOthersOff(
  host: HostReader,
  paths: NodePaths,
  servers: OtherServers,
): Promise<void> {
  const isDown = await isK3sDown(host);
  const underWay = await restoreUnderWay(host, paths);
  if (underWay && (await isPlaced(host, paths, underWay)) && (underWay.isStarted || !isDown)) {
    return;
  }
  const registration = isDown ? servers.registration : [];
  const why = await answering(host, { ...servers, registration });
  if (why !== undefined) {
    throw restoreRefused(why.replace(/\.$/, ''));
  }
}

/** True unless systemd runs, starts or stops K3s on this machine. */
export async function isK3sDown(host: HostReader): Promise<boolean> {
  const { ActiveState } = await showUnit(host, unitName('server'), ['ActiveState']);
  return ['', 'inactive', 'failed'].includes(ActiveState);
}

/** Waits until no other server of the cluster answers. K3s must be stopped on this machine. */
export function othersOff(servers: OtherServers, needs: readonly string[]): Resource {
  return {
    id: 'Restore/alone',
    summary: 'make sure that no other server of the cluster answers',
    condition: 'K3sRunning',
    needs,
    async check(host) {
      const why = await answering(host, servers);
      return why === undefined ? inSync() : waiting('RestoreUnfinished', why, forPerson);
    },
  };
}

/** Returns which server answers or may hang, and what to do; `undefined` if no connection to any is possible. */
async function answering(
  host: HostReader,
  { peers, registration, members, own }: OtherServers,
): Promise<string | undefined> {
  const isOther = (url: string) => !own.some((each) => isOwnServer({ name: each, address: each }, url));
  const named = [...new Set([...peers, ...(members ?? []), ...registration])].filter(isOther);
  const resolved = await Promise.all(named.map((each) => resolvedServers(host, each)));
  const urls = [...new Set(resolved.flat())].filter(isOther);
  if (members === undefined && peers.length === 0 && urls.length === 0) {
    return membersUnknown;
  }
  const unknown = urls.find((url) => isIP(hostOf(url)) === 0);
  if (unknown !== undefined) {
    return (
      `the name ${hostOf(unknown)} does not resolve, so nothing shows whether a server runs there. Name the addresses of ` +
      "the other servers instead, such as --set 'k3s.peers=[10.0.1.5]'."
    );
  }
  const ports = urls.flatMap((url) => [url, atEtcd(url)]);
  const signs = await Promise.all(ports.map((url) => signAt(host, url)));
  const answers = ports.find((_, at) => !['silent', 'hangs'].includes(signs[at] ?? ''));
  const hangs = ports.find((_, at) => signs[at] === 'hangs');
  return answers ? running(new URL(answers).host) : hangs && hanging(new URL(hangs).host);
}

const membersUnknown =
  'nothing shows the other servers of this cluster, as K3s does not answer here, and neither k3s.peers nor config.yaml ' +
  'names one. A restore beside a running server would make two clusters of one. Name the addresses of all servers, such as ' +
  "--set 'k3s.peers=[10.0.1.4, 10.0.1.5]'; for a cluster of one server, name the address of this one.";

function running(address: string): string {
  return (
    `${address} answers, so another server of this cluster runs, or a balancer in front of one. A restore beside it would make ` +
    `two clusters of one. ${turnedOff} If the address does not belong to this cluster, take it out of k3s.peers or k3s.server (--set).`
  );
}

function hanging(address: string): string {
  return (
    `${address} neither answers nor refuses connections, so nothing shows whether another server of this cluster runs there: a ` +
    'server that hangs does this, and a balancer that waits for its servers. A restore beside one would make two clusters of ' +
    `one. Stop what listens there, or its VM. ${turnedOff} Only if you know that no server of this cluster is there, take the ` +
    'address out of k3s.peers or k3s.server (--set).'
  );
}

const turnedOff =
  'Give the VM of each other server the tag k3s-hold, so that its Slipway does not start K3s, and run there: systemctl ' +
  'disable --now k3s.';

function atEtcd(url: string): string {
  const ofEtcd = new URL(url);
  ofEtcd.port = etcdPort;
  return ofEtcd.origin;
}
