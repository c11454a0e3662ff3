/** Everything of one process, built once: which machine, cloud and engine, for what the settings say. */
import type { Agent } from './agent/agent.ts';
import { createAgent } from './agent/agent.ts';
import type { CommonOptions } from './agent/cli.ts';
import { azureCloud } from './agent/cloud/azure/azure.ts';
import type { Cloud } from './agent/cloud/cloud.ts';
import { staticCloud } from './agent/cloud/static/static.ts';
import { factsSetting } from './agent/config/facts-file.ts';
import { type Loaded, load } from './agent/config/load.ts';
import type { Settings } from './agent/config/schema.ts';
import type { Emit } from './agent/core/events.ts';
import type { Host } from './agent/core/host.ts';
import { fluxGitOps } from './agent/gitops/flux.ts';
import type { GitOps } from './agent/gitops/gitops.ts';
import { noGitOps } from './agent/gitops/none.ts';
import { tickAfter } from './agent/host/cron-schedule.ts';
import { type MachineFacts, machineFacts } from './agent/host/facts.ts';
import { nodeHost } from './agent/host/node-host.ts';
import { spreadSchedule } from './agent/host/spread.ts';
import { k3sSettingsProblems } from './agent/k3s/keys.ts';
import type { Knowledge } from './agent/knowledge.ts';
import { type NodePaths, nodePaths } from './agent/paths.ts';
import type { PlanPorts } from './agent/plan.ts';

export interface Composition {
  readonly agent: Agent;
  /** The machine without a proxy: for files, the clock and this host's own services. */
  readonly host: Host;
  readonly paths: NodePaths;
  readonly loadSettings: () => Promise<Loaded>;
}

/** `wrap` puts another Host before the real one: the dry run. */
export async function compose(
  options: CommonOptions,
  emit: Emit,
  wrap = (host: Host) => host,
): Promise<Composition> {
  const paths = nodePaths(options.root);
  const host = nodeHost();
  const machine = await machineFacts();
  const facts = options.facts === undefined ? [] : [await factsSetting(host, options.facts)];
  const commandLine = [...facts, ...options.settings];
  const loadSettings = () =>
    load(host, { paths, file: options.config, commandLine, check: k3sSettingsProblems });
  const hostFor = remember(
    (settings: Settings) => settings.network,
    ({ network }) => wrap(nodeHost(network)),
  );
  const cloudFor = remember(
    ({ cloud, azure, network, static: written }: Settings) => ({ cloud, azure, network, written }),
    (settings) => makeCloud(settings, hostFor(settings), machine),
  );
  const unwired = wrap(host);
  const agent = createAgent({
    loadSettings,
    cloudFor,
    paths,
    arch: machine.arch,
    slipway: process.execPath,
    hostFor: ({ settings }) => (settings.value ? hostFor(settings.value.settings) : unwired),
    planPorts: (knowledge) => portsFor(knowledge, cloudFor, machine),
    random: Math.random,
    emit,
  });
  return { agent, host, paths, loadSettings };
}

function makeCloud(settings: Settings, host: Host, { hostname, addresses }: MachineFacts): Cloud {
  if (settings.cloud === 'azure') return azureCloud({ host, settings });
  const address = addresses.find((each) => each.includes('.'));
  return staticCloud({ host, settings, hostname, address });
}

function portsFor(
  { node, identity }: Knowledge,
  cloudFor: (settings: Settings) => Cloud,
  machine: MachineFacts,
): PlanPorts | undefined {
  if (!node.value || !identity.value) return undefined;
  const { settings } = node.value;
  const cloud = cloudFor(settings);
  const schedule = spreadSchedule(settings.registries.schedule, identity.value.vmId);
  return {
    cloud,
    gitops: gitopsFor(settings, cloud),
    memory: machine.memoryMb,
    rotateAt: (receivedAt) => tickAfter(schedule, receivedAt),
  };
}

function gitopsFor({ gitops }: Settings, cloud: Cloud): GitOps {
  return gitops.engine === 'flux' ? fluxGitOps({ settings: gitops.flux, cloud }) : noGitOps();
}

/** Makes a thing anew only when the settings it depends on have changed. */
function remember<Thing>(
  dependsOn: (settings: Settings) => unknown,
  make: (settings: Settings) => Thing,
): (settings: Settings) => Thing {
  let last: { readonly key: string; readonly thing: Thing } | undefined;
  return (settings) => {
    const key = JSON.stringify(dependsOn(settings));
    if (last?.key !== key) last = { key, thing: make(settings) };
    return last.thing;
  };
}
