/** Observes from outside how the hosts of a cluster take turns: by systemd's journal and the objects in the store. */
import type { BootedHost } from './booted-host.ts';
import type { Cluster, HostName } from './cluster.ts';

/** The time from a stop of K3s by command until systemd has started K3s again; in epoch milliseconds. */
export interface Interruption {
  readonly host: HostName;
  readonly from: number;
  /** The end; infinity while K3s has not started again. */
  readonly to: number;
}

/** Resolves to the interruptions of the hosts by stops or restarts of K3s's unit, in the order in which they began. */
export async function interruptionsOf(
  hosts: readonly BootedHost<HostName>[],
): Promise<readonly Interruption[]> {
  const found = await Promise.all(hosts.map(interruptionsOfOne));
  return found.flat().toSorted((a, b) => a.from - b.from);
}

async function interruptionsOfOne(host: BootedHost<HostName>): Promise<readonly Interruption[]> {
  const journal = await host.journal('-u', host.k3sUnit);
  const times = (verb: string) =>
    journal.filter(({ message }) => message.startsWith(`${verb} ${host.k3sUnit} `)).map(({ time }) => time);
  const started = times('Started');
  return times('Stopping').map((from) => {
    return { host: host.name, from, to: started.find((time) => time > from) ?? Number.POSITIVE_INFINITY };
  });
}

/** Resolves to the release of each start of K3s on a host, oldest first, as K3s logs it. */
export async function releasesOf(host: BootedHost): Promise<readonly string[]> {
  const journal = await host.journal('-u', host.k3sUnit);
  return journal.flatMap(({ message }) => /msg="Starting k3s (?:agent )?(\S+) /.exec(message)?.[1] ?? []);
}

/** Resolves to the releases to which a host has begun to upgrade, oldest first, as its daemon logs them. */
export async function upgradesOf(host: BootedHost): Promise<readonly string[]> {
  const journal = await host.journal('-u', 'slipway.service');
  return journal.flatMap(
    ({ message }) => /"did":"begin the upgrade of K3s from \S+ to ([^"]+)"/.exec(message)?.[1] ?? [],
  );
}

/** Returns the release that K3s ran on each Node when its kubelet last reported, by host. */
export function reportedReleases(cluster: Cluster): Readonly<Record<string, string>> {
  return Object.fromEntries(
    cluster.hosts.map(({ name }) => [name, storedOf(cluster, name).status.nodeInfo.kubeletVersion]),
  );
}

/** Returns the cordon and the turn that the Node of a host shows. */
export function shownOn(cluster: Cluster, host: HostName) {
  const { metadata, spec } = storedOf(cluster, host);
  const { annotations = {} } = metadata;
  return {
    isCordoned: spec.unschedulable === true,
    hasMark: 'slipway.dev/cordon' in annotations,
    turn: JSON.parse(annotations['slipway.dev/turn-state'] ?? '{}').state,
    isAsking: 'slipway.dev/turn-request' in annotations,
  };
}

/** Returns the Node of a host, as the server stores it. */
function storedOf(cluster: Cluster, host: HostName) {
  const path = `/var/lib/rancher/k3s/server/db/objects/nodes/_/vm-${host}.json`;
  return JSON.parse(cluster.host('server').read(path) ?? '');
}
