import * as z from 'zod/mini';
import type { HostReader } from '../../engine/host.ts';
import { readApi } from '../../kubernetes/api.ts';
import { objectPath } from '../../kubernetes/object-path.ts';
import { type K3sNode, unitName } from '../../node.ts';
import { nodeAccess } from '../../node-access.ts';
import { fileText } from '../../resources/file-text.ts';
import { showUnit } from '../../resources/unit.ts';

/** The milliseconds by which a heartbeat may look too old, because the API stores whole seconds. */
const rounding = 1_000;
/** The milliseconds after a start of K3s within which kubelet may have renewed its Lease but not yet its Node. */
const leaseFirst = 20_000;
/** The milliseconds by which a report may be dated later than now; with more, the clock was set back after it. */
const ahead = 60_000;

/**
 * True if kubelet has reported since K3s was started, or if the heartbeat or the time of the start is unknown.
 * `heartbeat` is the lastHeartbeatTime of the Node's Ready condition.
 *
 * K3s sends READY=1 a second before kubelet renews its Node (seen on K3s 1.36), so until then the Node shows the report
 * of the previous kubelet. Kubelet dates its heartbeats by the clock of this machine, so no other clock matters. The
 * time since the start of K3s is monotonic, because the clock may have been corrected meanwhile. If the clock was set
 * forward after the heartbeat, the heartbeat looks too old; if it was set back, a heartbeat from before the start looks
 * new, but is later than now. So a Lease, which kubelet renews every ten seconds, also counts as a report if its
 * renewal is at least 20 seconds later than the start.
 */
export async function hasReportedSinceStart(
  host: HostReader,
  node: K3sNode,
  heartbeat: string | undefined,
): Promise<boolean> {
  if (heartbeat === undefined) {
    return true;
  }
  const running = await runningFor(host, node);
  if (running === undefined || isWithin(ageOf(host, heartbeat), running + rounding)) {
    return true;
  }
  const renewed = await leaseRenewal(host, node);
  return renewed !== undefined && isWithin(ageOf(host, renewed), running - leaseFirst);
}

function isWithin(age: number, most: number): boolean {
  return age > -ahead && age < most;
}

function ageOf(host: HostReader, time: string): number {
  return host.now() - Date.parse(time);
}

/**
 * Returns the milliseconds since K3s was started, by the monotonic clock (systemd, org.freedesktop.systemd1;
 * proc_uptime(5)). `undefined` if they are unknown, as in a container: LXCFS shows the uptime of the container, while
 * systemd counts from the boot of the host.
 */
async function runningFor(host: HostReader, { role }: K3sNode): Promise<number | undefined> {
  const [uptime] = (await fileText(host, '/proc/uptime')).split(' ');
  if (!uptime) {
    return undefined;
  }
  const property = 'ExecMainStartTimestampMonotonic';
  const microseconds = Number((await showUnit(host, unitName(role.k3s), [property]))[property]);
  const running = Number(uptime) * 1_000 - microseconds / 1_000;
  return microseconds > 0 && running >= 0 ? running : undefined;
}

/**
 * Returns the time at which kubelet last renewed the Lease of its Node (coordination.k8s.io/v1); `undefined` if the
 * Lease cannot be read.
 */
async function leaseRenewal(host: HostReader, node: K3sNode): Promise<string | undefined> {
  const { name } = node;
  const path = objectPath({ ...leases, namespace: 'kube-node-lease', name });
  const found = await readApi(host, await nodeAccess(host, node), path, lease);
  return found?.spec.renewTime;
}

const leases = { apiVersion: 'coordination.k8s.io/v1', resource: 'leases' } as const;
const lease = z.object({ spec: z.object({ renewTime: z.string() }) });
