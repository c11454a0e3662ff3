import { actingServer, byActingServer } from '../acting.ts';
import type { Resource } from '../engine/resource.ts';
import { isOnlyServer, type K3sNode, unitName } from '../node.ts';
import { upkeep } from '../resources/combinators.ts';
import { unitEnabled } from '../resources/unit.ts';
import { type BackupPorts, backups } from './backup/index.ts';
import { foundingSteps } from './founding-steps.ts';
import { type InterruptionPorts, interruptions } from './interruptions.ts';
import {
  afterOwnStart,
  agentToken,
  caPin,
  certificatesRenewed,
  configFile,
  endpointFile,
  type FoundingPorts,
  joinToken,
  k3sLinks,
  k3sRestart,
  k3sScripts,
  k3sService,
  keepingFlags,
  nodeReady,
  nodeTaintsApplied,
  nonBlockingOnceJoined,
  noOverrides,
  ownStart,
  releaseAgreed,
  releasePublished,
  restoreEnded,
  roleChange,
  type StartSources,
  serverChange,
  settingsChange,
  startRepaired,
  tokenAccepted,
  unit,
  unlessCopying,
  unlessIrreversible,
  unlessOverridden,
  upgradeVerified,
  type Verification,
  verifies,
} from './k3s/index.ts';
import { type FreeSpace, system } from './machine/index.ts';
import { asMaintenance, emptiedStep, heldStep, unlessHeld } from './maintenance/index.ts';
import { containerdLogins, loginRenewersStopped, lostRegistries, pullProofs } from './registry/index.ts';
import { registrySteps } from './registry-steps.ts';
import { rotationSteps } from './rotation-steps.ts';
import { k3sRelease, upgradeSteps } from './upgrade-steps.ts';
import { clusterWorkloads } from './workloads/index.ts';

export interface K3sPorts extends InterruptionPorts {
  /** Returns when to renew a credential, in epoch milliseconds: at most `within` milliseconds after `receivedAt`. */
  readonly rotateAt: (receivedAt: number, within: number) => number;
  /** What this process has seen of other servers, and the place of claims to a cluster. */
  readonly founding?: FoundingPorts;
  /** Measures the free space of a disk. If absent, disks are not checked. */
  readonly free?: FreeSpace;
  /** What the backups need; absent if the process makes none. */
  readonly backups?: BackupPorts;
}

/**
 * Returns the Resources of a K3s node, in the order of a first boot. The executable, configuration, tokens, unit and
 * start of K3s wait for `needs`.
 *
 * K3s starts after all files that it reads are in place. The service is not enabled earlier, so that a reboot halfway
 * through does not start K3s too early.
 */
export function k3sResources(
  node: K3sNode,
  ports: K3sPorts,
  startSources: StartSources,
  needs: readonly string[],
): readonly Resource[] {
  const { acting, cloud, rotateAt } = ports;
  const forKind = (what: Verification, make: () => Resource) => (verifies(node, what) ? [make()] : []);
  const byActing = (resource: Resource) => byActingServer(node, acting, resource);
  const name = unitName(node.role.k3s);

  const { gate, announced, startable, shown, ended, reboot, ofFleet } = interruptions(node, ports);
  const founding = foundingSteps(node, cloud, ports.founding);
  const restored = forKind('restore', () => restoreEnded(node));
  const role = unlessHeld(
    node,
    roleChange(node, [...needs, ...ids(restored, founding.first)], { emptied: emptiedStep, held: heldStep }),
  );
  const overrides = noOverrides(node, [role.id]);
  const before = ids([role, overrides]);
  const kernel = system(node);
  const { channel, executable } = k3sRelease(node, acting, before);
  const links = k3sLinks(node, [executable.id]);
  const rebooting = reboot([role.id]);
  const upgrade = upgradeSteps(node, { gate, free: ports.free }, [executable.id]);
  const scripts = k3sScripts(node);
  const token = nonBlockingOnceJoined(node, joinToken(node, cloud, before));
  const ofEtcd = founding.etcd(token);
  const agents = agentToken(node, cloud, before).map((each) => nonBlockingOnceJoined(node, each));
  const endpoint = nonBlockingOnceJoined(node, endpointFile(node, cloud, before));
  const server = forKind('serverKept', () => serverChange(node, before));
  const cluster = forKind('settingsKept', () => settingsChange(node, before));
  const pinned = forKind('pinnedCa', () => nonBlockingOnceJoined(node, caPin(node, 'ca-pin', [token.id])));
  const keeping = (resource: Resource) => keepingFlags(node, resource, [lostRegistries]);
  const config = nonBlockingOnceJoined(
    node,
    keeping(configFile(node, ids([role, overrides], server, ofEtcd))),
  );
  const shared = founding.shared(ofEtcd);
  const { logins, registries, former, provider } = registrySteps(node, { cloud, rotateAt, keeping });
  const unitFile = unit(node, before).map(keeping);
  const accepted = forKind('tokenAccepted', () => tokenAccepted(node, cloud, ids([token], pinned, server)));
  const agreed = isOnlyServer(node) ? [] : [releaseAgreed(node, ids([executable], accepted, ofEtcd))];
  const joined = [...accepted, ...agreed];
  const files = [...agents, endpoint, ...registries, ...provider, ...unitFile];
  const inputs = ids(kernel, [executable, token, config], files, server, joined, shared);
  // A K3s that must not start now must not start at the next boot either.
  const enabled = unlessHeld(node, unitEnabled({ unit: name, condition: 'K3sRunning', needs: inputs }));
  const starting = (resource: Resource) =>
    startable(
      unlessHeld(node, unlessCopying(node, unlessIrreversible(node, unlessOverridden(node, resource)))),
    );
  const written = [config, endpoint, ...registries, ...provider, ...unitFile];
  const service = starting(k3sService(node, startSources, inputs, written));
  const rotation = rotationSteps(node, { gate, cloud, acting, starting, token, service });
  const repaired = forKind('tokenRotated', () => startRepaired(node, cloud, before));
  const restart = asMaintenance(
    starting(k3sRestart(node, { sources: startSources, gate, written }, [service.id])),
  );
  const ownStarted = starting(keeping(ownStart(node, gate, [service.id])));
  const adoption =
    node.settings.registries.servers.length > 0 ? loginRenewersStopped(node, [...logins, ...registries]) : [];
  const ready = nodeReady(node, [service.id]);
  const verified = upgradeVerified(node, ids(upgrade));
  const taints = nodeTaintsApplied(node, [ready.id]);
  const certificates = starting(certificatesRenewed(node, gate, [service.id]));
  // The CA is pinned again: the agent may have joined during this pass, and the next pass can be minutes away.
  const joinedPin = forKind('pinnedCa', () =>
    nonBlockingOnceJoined(node, caPin(node, 'joined-ca-pin', [token.id])),
  );
  const proofs = pullProofs(node, cloud, ids(registries)).map((each) => afterOwnStart(node, each));

  return [
    announced,
    ...restored,
    ...founding.first,
    role,
    overrides,
    ...kernel,
    ...channel,
    executable,
    ...links,
    ...rebooting.first,
    ...upgrade,
    ...scripts,
    token,
    ...ofEtcd,
    ...agents,
    ...pinned,
    ...server,
    ...cluster,
    endpoint,
    config,
    ...shared,
    ...logins,
    ...registries,
    former,
    ...provider,
    ...unitFile,
    ...joined,
    ...repaired.map(upkeep),
    enabled,
    service,
    ...rotation.map(upkeep),
    upkeep(restart),
    upkeep(ownStarted),
    ...adoption,
    ready,
    upkeep(verified),
    ...founding.member(service),
    ...forKind('releasePublished', () => releasePublished(node, [ready.id])),
    ...shown(service, ready),
    ...joinedPin,
    ...taints,
    ...actingServer(node, acting, [ready.id]).map(upkeep),
    ...ofFleet,
    ...[certificates, ended(ready)].map(upkeep),
    ...rebooting.last,
    ...backups(node, ports.backups, [service.id]).map(byActing),
    ...proofs,
    ...containerdLogins(node),
    ...clusterWorkloads(node, cloud, [ready.id]).map(byActing),
  ];
}

function ids(...resources: readonly (readonly Resource[])[]): readonly string[] {
  return resources.flat().map(({ id }) => id);
}
