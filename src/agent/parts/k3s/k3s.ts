import type { Cloud } from '../../clouds/cloud.ts';
import type { Resource } from '../../engine/resource.ts';
import { type K3sNode, unitName } from '../../node.ts';
import { unitEnabled } from '../../resources/unit.ts';
import { system } from '../machine/system.ts';
import { containerdLogins } from '../registry/containerd-login-ends.ts';
import { credentialProvider } from '../registry/credential-provider.ts';
import { loginsCache } from '../registry/logins-cache.ts';
import { pullProofs } from '../registry/proof/pull-proof.ts';
import { registries } from '../registry/registries.ts';
import { configFile } from './config.ts';
import { agentToken } from './membership/agent-token.ts';
import { caPin } from './membership/ca-pin.ts';
import { clusterFounding } from './membership/founding.ts';
import { join } from './membership/join.ts';
import { joinToken } from './membership/join-token.ts';
import { sparingJoined } from './membership/joined.ts';
import { roleChange } from './membership/role-change.ts';
import { serverChange } from './membership/server-change.ts';
import { nodeReady, nodeTaintsApplied } from './node-ready.ts';
import { noOverrides, unlessOverridden } from './overrides.ts';
import { k3sScripts } from './scripts.ts';
import { afterOwnStart, ownStart } from './service/adopted-start.ts';
import { keepingFlags } from './service/adopted-unit.ts';
import { acrRefreshStopped } from './service/adoption.ts';
import { k3sService } from './service/service.ts';
import { unit } from './service/unit.ts';
import { settingsChange, unlessIrreversible } from './settings-change.ts';
import { k3sExecutable, k3sLinks } from './upgrade/release.ts';

export interface K3sPorts {
  readonly cloud: Cloud;
  /** When credentials received at this time are due, so many milliseconds later at most; epoch milliseconds. */
  readonly rotateAt: (receivedAt: number, within: number) => number;
}

/**
 * What a K3s node consists of, in the order in which a first boot puts it there. What root runs waits for `needs`.
 *
 * All that K3s reads at its start is in place before it starts; the service is enabled only then too, so that a
 * reboot halfway does not start it early.
 */
export function k3sResources(
  node: K3sNode,
  ports: K3sPorts,
  needs: readonly string[] = [],
): readonly Resource[] {
  const { cloud, rotateAt } = ports;
  const isAgent = node.role.k3s === 'agent';
  const name = unitName(node.role.k3s);

  const founding = isAgent ? [] : [clusterFounding(node)];
  const role = roleChange(node, [...needs, ...ids(founding)]);
  const overrides = noOverrides(node, [role.id]);
  const before = ids([role, overrides]);
  const kernel = system(node);
  const executable = k3sExecutable(node, before);
  const links = k3sLinks(node, [executable.id]);
  const scripts = k3sScripts(node);
  const token = sparingJoined(node, joinToken(node, cloud, before));
  const agents = agentToken(node, cloud, before).map((each) => sparingJoined(node, each));
  const server = isAgent ? [serverChange(node, before)] : [];
  const cluster = isAgent ? [] : [settingsChange(node, before)];
  const pinned = isAgent ? [sparingJoined(node, caPin(node, 'ca-pin', [token.id]))] : [];
  const config = sparingJoined(node, keepingFlags(node, configFile(node, ids([role, overrides], server))));
  // Whatever kind of node it is to be: a running K3s needs them while RoleChanged waits for consent.
  const logins = registries(node, { cloud, rotateAt }, []).map((each) =>
    sparingJoined(node, keepingFlags(node, each)),
  );
  const cache = loginsCache(node, cloud).map((each) => sparingJoined(node, each));
  const provider = credentialProvider(node).map((each) => sparingJoined(node, each));
  const unitFile = unit(node, before).map((each) => keepingFlags(node, each));
  const joined = isAgent ? [join(node, cloud, ids([token], pinned, server))] : [];
  const inputs = ids(kernel, [executable, token, config], agents, logins, provider, unitFile, server, joined);
  const enabled = unitEnabled({ unit: name, condition: 'K3sRunning', needs: inputs });
  const starting = (resource: Resource) => unlessIrreversible(node, unlessOverridden(node, resource));
  const service = starting(k3sService(node, inputs, [config, ...logins, ...provider]));
  const ownStarted = starting(keepingFlags(node, ownStart(node, [service.id])));
  const adoption = node.settings.registries.servers.length > 0 ? [acrRefreshStopped(node, logins)] : [];
  const ready = nodeReady(node, [service.id]);
  const taints = nodeTaintsApplied(node, [ready.id]);
  // Once more: the agent may have joined since this pass began, and the next one can be minutes away.
  const joinedPin = isAgent ? [sparingJoined(node, caPin(node, 'joined-ca-pin', [token.id]))] : [];
  const proofs = pullProofs(node, cloud, ids(logins)).map((each) => afterOwnStart(node, each));

  return [
    ...founding,
    role,
    overrides,
    ...kernel,
    executable,
    ...links,
    ...scripts,
    token,
    ...agents,
    ...pinned,
    ...server,
    ...cluster,
    config,
    ...logins,
    ...cache,
    ...provider,
    ...unitFile,
    ...joined,
    enabled,
    service,
    ownStarted,
    ...adoption,
    ready,
    ...joinedPin,
    ...taints,
    ...proofs,
    ...containerdLogins(node),
  ];
}

function ids(...resources: readonly (readonly Resource[])[]): readonly string[] {
  return resources.flat().map(({ id }) => id);
}
