import { actingMemory } from '../../src/agent/acting.ts';
import { type Agent, createAgent, type Report } from '../../src/agent/agent.ts';
import type { Event } from '../../src/agent/engine/events.ts';
import type { Host } from '../../src/agent/engine/host.ts';
import { gitOpsOf } from '../../src/agent/gitops/chosen.ts';
import type { gitOpsEngines } from '../../src/agent/gitops/index.ts';
import { foundingMemory } from '../../src/agent/parts/k3s/index.ts';
import { turnMemory } from '../../src/agent/parts/maintenance/index.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import type { PlanPorts } from '../../src/agent/plan.ts';
import { type Loaded, load } from '../../src/agent/settings/load.ts';
import { backupPortsFor } from '../../src/commands/backup-ports.ts';
import { findRole } from '../../src/roles/index.ts';
import { FakeCloud } from '../lab/fake-cloud.ts';
import { type MemoryClaims, memoryClaims } from '../lab/memory-claims.ts';
import { isMoving } from '../lab/memory-jobs.ts';
import { type MemoryRegistry, memoryRegistry } from '../lab/memory-registry.ts';
import { gitToken, joinToken, serverUrl, type World, workloadTokens, world } from './world.ts';

const hour = 3_600_000;
export const registry = 'team.azurecr.io';

const settings = `
cloud: azure
registries:
  servers: [${registry}]
gitops:
  engine: flux
  flux: { provider: github, owner: team, repository: fleet, path: clusters/main }
workloads:
  secrets:
    cert-manager/cloudflare: { keys: { api-token: cloudflare-token }, values: { email: team@example.com } }
    default/regcred: { registry: { server: ghcr.io, username: team, passwordSecretName: ghcr-token } }
  charts:
    cert-manager:
      chart: oci://quay.io/jetstack/charts/cert-manager
      version: v1.20.3
      namespace: cert-manager
      values: { crds: { enabled: true } }
`;

/** The settings that choose each GitOps engine. This does not compile if an engine is missing. */
export const engineSettings: Readonly<Record<keyof typeof gitOpsEngines, string>> = {
  none: 'gitops: { engine: none }\n',
  flux: 'gitops: { engine: flux }\n',
  argocd: `
gitops:
  engine: argocd
  argocd: { url: "https://github.com/team/fleet", path: clusters/main, tokenSecretName: flux-git-token }
`,
};

/** The addresses of a VM's network interfaces. */
const addresses = ['10.0.0.4', '10.9.0.7', '10.42.0.1'];

/** A VM with a role and a cloud, on which the test starts processes of Slipway. */
export interface Vm extends World {
  readonly cloud: FakeCloud;
  /** The registry from which the pull check pulls. */
  readonly acr: MemoryRegistry;
  readonly events: Event[];
  /** The claims beside the backups, for servers with embedded etcd. */
  readonly claims: MemoryClaims;
  /** Starts a new Slipway process on this VM. `through` may wrap the VM's Host, and `ports` replace some ports. */
  slipway(through?: (host: Host) => Host, ports?: Partial<PlanPorts>): Agent;
}

export function vm(role: string, extra = ''): Vm {
  const made = world();
  const { host } = made;
  host.files.write('/etc/slipway/config.yaml', settings);
  if (extra) {
    host.files.write('/etc/slipway/config.d/extra.yaml', extra);
  }
  const isServer = findRole(role)?.k3s === 'server';
  if (isServer) {
    made.kubernetes.other = undefined;
  }
  const tags = { 'k3s-role': role, ...(!isServer && { 'k3s-server': serverUrl }) };
  const cloud = new FakeCloud({
    identity: { tags, computerName: `${role}-1` },
    secrets: { 'k3s-token': joinToken, 'flux-git-token': gitToken, ...workloadTokens },
    registries: [registry],
    clock: host,
  });
  const acr = memoryRegistry(host, registry, () => host.now() + cloud.clockSkew);
  const events: Event[] = [];
  const claims = memoryClaims();
  return Object.assign(made, {
    cloud,
    acr,
    events,
    claims,
    slipway: (through = same, ports = {}) => process(made, cloud, { events, claims, through, ports }),
  });
}

function same(host: Host): Host {
  return host;
}

interface ProcessOptions {
  readonly claims: MemoryClaims;
  readonly events: Event[];
  readonly through: (host: Host) => Host;
  readonly ports: Partial<PlanPorts>;
}

function process(
  { host }: World,
  cloud: FakeCloud,
  { events, claims, through, ports }: ProcessOptions,
): Agent {
  const paths = nodePaths('/');
  const door = through(host);
  // The daemon looks between its passes for other nodes that ask for a turn. This VM has no other node.
  const turns = { ...turnMemory(), isWatched: true };
  const acting = actingMemory();
  const founding = { memory: foundingMemory(), claims };
  return createAgent({
    loadSettings: (before): Promise<Loaded> => load(door, { paths, before }),
    cloudFor: () => cloud,
    hostFor: () => door,
    paths,
    arch: 'x64',
    slipway: '/usr/local/bin/slipway',
    machine: { host, addresses: () => addresses },
    random: () => 0.5,
    emit: (event) => events.push(event),
    planPorts({ node: { value: node } }) {
      const backups = node && backupPortsFor(node.settings, 'vm-4', { host: door, cloud });
      return (
        node && {
          ...(backups && { backups }),
          cloud,
          gitops: gitOpsOf(node.settings, cloud),
          memory: 4096,
          turns,
          acting,
          founding,
          rotateAt: (receivedAt) => (Math.floor(receivedAt / (2 * hour)) + 1) * 2 * hour,
          ...ports,
        }
      );
    },
  });
}

/** Settings that keep K3s running when Slipway renews its registry credentials. */
export const noRestarts = 'registries: { onRotate: never }\n';

/** Boots a VM, and makes passes until it is Ready or a minute has passed; returns the VM and its Slipway process. */
export async function booted(role: string, settings = noRestarts): Promise<{ machine: Vm; slipway: Agent }> {
  const machine = vm(role, settings);
  const slipway = machine.slipway();
  await live(slipway, machine, 60_000, isReady);
  return { machine, slipway };
}

/**
 * Makes passes as the daemon does, until `until` returns true or `time` milliseconds have passed; returns the last
 * report.
 */
export async function live(
  agent: Agent,
  { host }: World,
  time: number,
  until = (_: Report) => false,
): Promise<Report> {
  const end = host.now() + time;
  for (;;) {
    const report = await agent.pass();
    if (until(report) || host.now() >= end) {
      return report;
    }
    const woken = new AbortController();
    host.jobs.onEnd = () => woken.abort();
    await host.sleep(Math.min(report.wake.at, end) - host.now(), woken.signal);
  }
}

export function isReady({ conditions: [ready], outcomes }: Report): boolean {
  return ready?.status === 'True' && ready.reason === 'InSync' && !outcomes.some(isMoving);
}

/** Returns the status and reason of a condition in the report, as in `True InSync`; `absent` if the report lacks it. */
export function condition({ conditions }: Report, type: string): string {
  const found = conditions.find((each) => each.type === type);
  return found ? `${found.status} ${found.reason}` : 'absent';
}
