/** Builds what a process needs, once and from its settings: the machine, the cloud and the engine. */

import { actingMemory } from '../agent/acting.ts';
import { type Agent, createAgent } from '../agent/agent.ts';
import { chosenCloud } from '../agent/clouds/chosen.ts';
import type { Cloud } from '../agent/clouds/cloud.ts';
import { type Clouds, clouds } from '../agent/clouds/index.ts';
import type { Emit } from '../agent/engine/events.ts';
import type { Host } from '../agent/engine/host.ts';
import { gitOpsOf } from '../agent/gitops/chosen.ts';
import { rotationSchedule } from '../agent/host/clock/rotation-schedule.ts';
import { diskOf } from '../agent/host/files/free-space.ts';
import { type MachineFacts, machineFacts } from '../agent/host/machine-facts.ts';
import { nodeHost } from '../agent/host/node-host.ts';
import type { Jobs } from '../agent/host/process/jobs.ts';
import { gather, type Knowledge } from '../agent/knowledge.ts';
import { type FoundingMemory, foundingMemory, k3sSettingsProblems } from '../agent/parts/k3s/index.ts';
import { type EventMemory, type TurnMemory, turnMemory } from '../agent/parts/maintenance/index.ts';
import { type NodePaths, nodePaths } from '../agent/paths.ts';
import type { PlanPorts } from '../agent/plan.ts';
import { consentedSubjects } from '../agent/settings/consents.ts';
import { factsSetting } from '../agent/settings/facts-file.ts';
import { type Loaded, load } from '../agent/settings/load.ts';
import { checkNamedFiles } from '../agent/settings/named-files.ts';
import type { Settings } from '../agent/settings/schema.ts';
import { backupPortsFor } from './backup-ports.ts';
import type { CommonOptions } from './cli-common.ts';
import { claimsFor } from './founding-ports.ts';
import { once } from './one-connection.ts';

export interface Composition {
  readonly agent: Agent;
  /** The machine without a proxy: files, clock and the services of this host. */
  readonly host: Host;
  readonly paths: NodePaths;
  /** Learns the settings, the cloud and the tags, and returns everything known about this node. */
  readonly gather: () => Promise<Knowledge>;
  /**
   * Returns the network and the cloud of this process. The first settings determine both for the life of the process.
   */
  readonly connect: (settings: Settings) => Connection;
}

export interface Connection {
  readonly host: Host;
  readonly cloud: Cloud;
  /** Returns what a plan needs besides the knowledge; `undefined` while too little is known. */
  readonly portsFor: (knowledge: Knowledge) => PlanPorts | undefined;
}

export interface ComposeOptions {
  readonly emit?: Emit;
  /** Called after each reading of the settings. */
  readonly onSettings?: (settings: Settings) => void;
  /** The jobs that run in parallel with the passes. Without jobs, a pass waits for its downloads. */
  readonly jobs?: Jobs;
  /** What this process has seen of the fleet's turns. */
  readonly turns?: TurnMemory;
  /** What this process has seen of the cloud's events, if it asks for them. */
  readonly events?: EventMemory;
  /** Wraps the real Host, for a dry run. */
  readonly wrap?: (host: Host) => Host;
  /**
   * Called before the pass changes anything, if the settings need a network or a cloud that this process was not built
   * for. An error of this function ends the pass.
   */
  readonly onOutdated?: () => void;
  /** True if a person requested an interruption of this node (`slipway apply --restart`). */
  readonly isByPerson?: boolean;
}

/**
 * Builds the agent of a process. The first readable settings determine its network and cloud: the Azure SDKs keep an
 * identity's connection and tokens for the life of a process, so only a new process can use different ones.
 */
export async function compose(
  options: CommonOptions,
  {
    emit = () => {},
    onSettings = () => {},
    jobs,
    turns = turnMemory(),
    events,
    wrap = (host) => host,
    onOutdated = () => {},
    isByPerson = false,
  }: ComposeOptions = {},
): Promise<Composition> {
  const paths = nodePaths(options.root);
  const { root } = options;
  const host = nodeHost({ root, jobs });
  const machine = machineFacts();
  const credentials = process.env.CREDENTIALS_DIRECTORY || paths.slipway.credentials;
  const cloudMachine = { ...machine, current: currentAddresses, credentials };
  const facts = options.facts === undefined ? [] : [await factsSetting(host, options.facts)];
  const commandLine = [...facts, ...options.settings];
  const file = options.config;
  const loadSettings = async (before?: Loaded) => {
    const loaded = await load(host, { paths, file, commandLine, check: k3sSettingsProblems, before });
    await checkNamedFiles(host, loaded);
    onSettings(loaded.settings);
    return loaded;
  };
  const unwired = wrap(host);
  const { connect, isOutdated } = once((settings) => {
    const door = wrap(nodeHost({ ...settings.network, root, jobs }));
    return { host: door, cloud: makeCloud(settings, door, cloudMachine) };
  });
  const hostFor = ({ files }: Knowledge): Host => {
    if (!files.value) {
      return unwired;
    }
    if (isOutdated(files.value.settings)) {
      onOutdated();
    }
    return connect(files.value.settings).host;
  };
  const cloudFor = (settings: Settings) => connect(settings).cloud;
  const founding = foundingMemory();
  const acting = actingMemory();
  const planPorts = (knowledge: Knowledge): PlanPorts | undefined => {
    const found = portsFor(knowledge, connect, machine, { turns, acting, founding });
    return found && { ...found, isByPerson, ...(events && { events }) };
  };
  const sources = {
    loadSettings,
    cloudFor,
    paths,
    arch: machine.arch,
    slipway: process.execPath,
    machine: { host, addresses: () => machineFacts().addresses },
  };
  const agent = createAgent({
    ...sources,
    hostFor,
    planPorts,
    random: Math.random,
    emit,
  });
  return {
    agent,
    host,
    paths,
    gather: () => gather(sources),
    connect: (settings) => ({ ...connect(settings), portsFor: planPorts }),
  };
}

/** What a cloud's adapter learns about the machine; `current` reads the addresses again at each call. */
interface CloudMachine extends Pick<MachineFacts, 'hostname'> {
  readonly current: () => MachineFacts['interfaces'];
  /** The directory of systemd's credentials. */
  readonly credentials: string;
}

function currentAddresses(): MachineFacts['interfaces'] {
  return machineFacts().interfaces;
}

/** Makes the adapter of the cloud that the settings name. */
export function makeCloud(
  settings: Settings,
  host: Host,
  { hostname, current, credentials }: CloudMachine,
  table: Clouds = clouds,
): Cloud {
  const machine = { hostname, addresses: current, credentials };
  const consented = consentedSubjects(settings, 'identityHosts');
  return chosenCloud(settings, table).create({ host, consented, machine });
}

/** What this process has seen, for later passes. */
interface Memories extends Pick<PlanPorts, 'turns' | 'acting'> {
  readonly founding: FoundingMemory;
}

function portsFor(
  { node, identity }: Knowledge,
  connect: (settings: Settings) => Pick<Connection, 'host' | 'cloud'>,
  machine: MachineFacts,
  { founding, ...memories }: Memories,
): PlanPorts | undefined {
  if (!node.value || !identity.value) {
    return undefined;
  }
  const { settings } = node.value;
  const ground = connect(settings);
  const { cloud } = ground;
  const backups = backupPortsFor(settings, identity.value.vmId, ground);
  return {
    cloud,
    ...(backups && { backups }),
    gitops: gitOpsOf(settings, cloud),
    memory: machine.memoryMb,
    free: async (path) => (await diskOf(path)).available,
    ...memories,
    founding: { memory: founding, claims: claimsFor(settings, cloud) },
    rotateAt: rotationSchedule(settings.registries.schedule, identity.value.vmId).next,
  };
}
