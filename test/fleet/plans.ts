import { actingMemory } from '../../src/agent/acting.ts';
import type { Cloud } from '../../src/agent/clouds/cloud.ts';
import type { HostReader } from '../../src/agent/engine/host.ts';
import { rememberingObjects } from '../../src/agent/engine/remembering.ts';
import type { Resource } from '../../src/agent/engine/resource.ts';
import type { LeaseMemory } from '../../src/agent/kubernetes/lease.ts';
import type { K3sNode } from '../../src/agent/node.ts';
import { type Gate, openGate } from '../../src/agent/parts/k3s/gate.ts';
import {
  certificatesRenewed,
  k3sExecutable,
  releaseFetched,
  releaseReplaced,
  releaseVerdict,
  upgradeTakenBack,
  upgradeTurn,
  upgradeUndone,
  upgradeVerified,
} from '../../src/agent/parts/k3s/index.ts';
import { nodeReady } from '../../src/agent/parts/k3s/node-ready.ts';
import { k3sRestart } from '../../src/agent/parts/k3s/service/restart.ts';
import { k3sService } from '../../src/agent/parts/k3s/service/service.ts';
import { accessInputs } from '../../src/agent/parts/k3s/service/start-inputs.ts';
import type { StartSources } from '../../src/agent/parts/k3s/service/start-sources.ts';
import { installedVersion } from '../../src/agent/parts/k3s/upgrade/release.ts';
import {
  cordonReturned,
  maintenanceGate,
  rebooted,
  rebootGivenUp,
  type TurnMemory,
  turnEnded,
  turnMemory,
  turns,
} from '../../src/agent/parts/maintenance/index.ts';
import type { NodePaths } from '../../src/agent/paths.ts';
import { fileText } from '../../src/agent/resources/file-text.ts';
import { defaults } from '../../src/agent/settings/defaults.ts';
import { aNode } from '../unit/agent/a-node.ts';
import type { MakePlan } from './daemon.ts';
import type { FleetPlan } from './drawn.ts';
import type { Fleet } from './fleet.ts';
import type { FleetNode } from './fleet-node.ts';
import { supervisor } from './supervisor.ts';
import { noTokens, tokenSteps } from './token-plan.ts';

/** The inputs of a start that a fleet changes: the configuration, the release and the join token. */
const sources: StartSources = {
  inputs: [
    { name: 'config', text: (host: HostReader, { k3s }: NodePaths) => fileText(host, k3s.config) },
    { name: 'version', text: (host: HostReader, paths: NodePaths) => installedVersion(host, paths) },
    ...accessInputs.filter(({ name }) => name === 'joinToken'),
  ],
  notes: [],
  judge: async () => ({ spared: [], remarks: [] }),
};

function k3sNodeOf(
  { role, name, wishedVersion: version }: FleetNode,
  { plan, consents, api }: Fleet,
): K3sNode {
  const isShared = plan.hasTokens && api.nodes.filter((node) => node.role === 'server').length > 1;
  return { ...(isShared ? nodeOfSeveral : nodeOfRole)(plan)(consents)[role], name, version };
}

/** Returns a node of each role with the settings of the fleet and these consents to new tokens. */
const nodeOfRole = rememberingObjects((plan: FleetPlan) =>
  rememberingObjects((consents: readonly string[]) => nodesWith(plan, consents, false)),
);
const nodeOfSeveral = rememberingObjects((plan: FleetPlan) =>
  rememberingObjects((consents: readonly string[]) => nodesWith(plan, consents, true)),
);

function nodesWith(
  { maintenance: { concurrency, drain } }: FleetPlan,
  tokenChange: readonly string[],
  isShared: boolean,
) {
  const maintenance = {
    ...defaults.maintenance,
    reboot: 'auto',
    concurrency,
    drain: { ...defaults.maintenance.drain, ...drain },
  };
  const shared = { datastore: 'etcd', peers: [new URL(supervisor).hostname] };
  const k3s = { ...defaults.k3s, upgrade: 'auto', ...(isShared && shared) };
  const joinToken = { ...defaults.joinToken, verifyEvery: '1m' };
  const consent = { ...defaults.consent, tokenChange: [...tokenChange], restart: ['k3s.service'] };
  const settings = { maintenance, k3s, joinToken, consent };
  return { server: aNode('server', { settings }), agent: aNode('agent', { settings }) };
}

/** What a planted fault replaces in the plan of a node. */
export interface Replaced {
  /** The gate of the restart that renews certificates. */
  readonly renewalGate?: Gate;
  /** The gate of the restart after a rotation of the join token. */
  readonly tokenGate?: Gate;
}

interface PlanOptions extends Replaced {
  /** The vault with the join token; absent if the nodes keep their token. */
  readonly vault: Cloud | undefined;
  readonly acting: LeaseMemory;
}

/** Plans the Resources that interrupt a node, in the order of the plan of a node, and those that grant turns. */
export function withTurns(fleet: Fleet, replaced: Replaced = {}): MakePlan {
  return (of) => {
    const memory = turnMemory();
    const acting = actingMemory();
    return () =>
      planOf(k3sNodeOf(of, fleet), memory, {
        ...{ ...replaced, acting },
        vault: fleet.plan.hasTokens ? fleet.vault : undefined,
      });
  };
}

function planOf(
  node: K3sNode,
  memory: TurnMemory,
  { renewalGate, tokenGate, vault, acting }: PlanOptions,
): readonly Resource[] {
  const turn = maintenanceGate(node, { memory });
  const executable = k3sExecutable(node, []);
  const fetched = releaseFetched(node, [executable.id]);
  const begun = upgradeTurn(node, { gate: turn.gate }, [fetched.id]);
  const replaced = releaseReplaced(node, { copy: undefined, verdict: releaseVerdict }, [begun.id]);
  const tokens = vault ? tokenSteps(node, vault, tokenGate ?? turn.gate, acting) : noTokens;
  const service = k3sService(node, sources, [executable.id, ...tokens.needed]);
  const ready = nodeReady(node, [service.id]);
  return [
    executable,
    rebooted(node, turn.gate, []),
    fetched,
    begun,
    replaced,
    ...tokens.before,
    service,
    ...tokens.after,
    k3sRestart(node, { sources, gate: turn.gate }, [service.id]),
    ready,
    upgradeVerified(node, [ready.id, replaced.id]),
    cordonReturned(node, [ready.id]),
    certificatesRenewed(node, renewalGate ?? turn.gate, [service.id]),
    turnEnded(node, { gate: turn, takenBack, undone: upgradeUndone }, [ready.id]),
    ...(node.role.k3s === 'server' ? [turns(node, memory)] : []),
  ];
}

async function takenBack(host: HostReader, node: K3sNode, digest: string): Promise<string | undefined> {
  return (await upgradeTakenBack(host, node, digest)) ?? (await rebootGivenUp(host, node, digest));
}

/** Plans K3s with a gate that lets everything through, as if there were no turns. */
export function withoutTurns(fleet: Fleet): MakePlan {
  return (of) => {
    const node = k3sNodeOf(of, fleet);
    const service = k3sService(node, sources, []);
    const gate: Gate = openGate;
    const plan = [service, k3sRestart(node, { sources, gate }, [service.id]), nodeReady(node, [service.id])];
    return () => plan;
  };
}
