import { findRole, namesOf, rolesWith } from '../roles/index.ts';
import type { Role } from '../roles/role.ts';
import { type Choosing, chosenCloud } from './clouds/chosen.ts';
import type { Cloud, Identity } from './clouds/cloud.ts';
import { noCloud } from './clouds/detect.ts';
import { type Clouds, clouds } from './clouds/index.ts';
import { NodeError } from './engine/errors.ts';
import type { HostReader } from './engine/host.ts';
import { forPerson } from './engine/severity.ts';
import { type K3sNode, nodeName, normaliseServer } from './node.ts';
import { type AddressedMachine, addressesOf } from './node-addresses.ts';
import { keepingRole, wantedVersion } from './parts/k3s/index.ts';
import { holdOf } from './parts/maintenance/index.ts';
import type { NodePaths } from './paths.ts';
import { type LastKnown, learn } from './resources/last-known.ts';
import type { Loaded } from './settings/load.ts';
import { nearest } from './settings/nearest.ts';
import type { Settings } from './settings/schema.ts';
import { type Tagged, withTags } from './settings/tags.ts';

/**
 * Everything that must be known before a node can be planned. If the last attempt to learn a value failed, its error is
 * included.
 */
export interface Knowledge {
  /** The settings from files and the command line. */
  readonly files: LastKnown<Loaded>;
  readonly identity: LastKnown<Identity>;
  /** The settings, completed with the instance tags of the identity. */
  readonly tagged: LastKnown<Tagged>;
  readonly role: LastKnown<Role>;
  readonly node: LastKnown<K3sNode>;
}

export interface Sources {
  /** Loads the settings; `before` is the last result. */
  readonly loadSettings: (before?: Loaded) => Promise<Loaded>;
  readonly cloudFor: (settings: Settings) => Cloud;
  readonly paths: NodePaths;
  readonly arch: string;
  /** The path of Slipway's own executable. */
  readonly slipway: string;
  readonly machine: AddressedMachine;
}

/**
 * Learns the settings, the identity, the tags, the role and the node, in this order. If a value cannot be read or used
 * now, its last result stays: neither a cloud that does not answer nor an edited tag stops the maintenance of a running
 * node.
 */
export async function gather(ask: Sources, before?: Knowledge): Promise<Knowledge> {
  const files = await learn(before?.files, () => ask.loadSettings(before?.files.value));
  const identity = await learnFrom(files, before?.identity, ({ settings }) =>
    ask.cloudFor(settings).identity(),
  );
  const tagged = await learnFrom(identity, before?.tagged, async ({ tags }) =>
    withTags(knownOf(files), tags, before?.tagged.value?.loaded),
  );
  const role = await learnFrom(tagged, before?.role, async ({ loaded, warnings }) =>
    roleOf(loaded, warnings),
  );
  const node = await learnFrom(role, before?.node, async (role) =>
    describeNode(ask, knownOf(tagged).loaded.settings, knownOf(identity), role),
  );
  return { files, identity, tagged, role, node };
}

/**
 * Returns the knowledge with the node that Slipway maintains now: while a change from server to agent or back waits for
 * consent or for the end of a hold, this node keeps the kind of role that is installed. Returns the knowledge unchanged
 * if the node is unknown or its installed role cannot be determined.
 */
export async function inCare(host: HostReader, knowledge: Knowledge): Promise<Knowledge> {
  const { value, ...rest } = knowledge.node;
  if (value === undefined) {
    return knowledge;
  }
  // Ignores a failed check, because a separate condition reports it.
  const kept = await keptRole(host, value).catch(() => value);
  return { ...knowledge, node: { ...rest, value: kept } };
}

async function keptRole(host: HostReader, node: K3sNode): Promise<K3sNode> {
  return keepingRole(host, node, (await holdOf(host, node)) !== undefined);
}

/** Learns a value that depends on `ground`; returns no value and no error while `ground` is unknown. */
async function learnFrom<Ground, Value>(
  ground: LastKnown<Ground>,
  before: LastKnown<Value> | undefined,
  ask: (ground: Ground) => Promise<Value>,
): Promise<LastKnown<Value>> {
  const { value } = ground;
  return value === undefined ? {} : learn(before, () => ask(value));
}

/** Returns a value that must be known because another value was learned from it; throws an Error if it is unknown. */
function knownOf<Value>({ value }: LastKnown<Value>): Value {
  if (value === undefined) {
    throw new Error('asked before its ground was known');
  }
  return value;
}

/**
 * Returns the first error in the settings, the tags, the role, or the node's name, address, server or architecture;
 * `undefined` without an error. Ignores an error of the cloud, which may answer later.
 */
export function faultIn({ files, tagged, role, node }: Knowledge): NodeError | undefined {
  return files.error ?? tagged.error ?? role.error ?? node.error;
}

/** True if the cloud that the settings name may later report the missing role or address, so that waiting is enough. */
export function comesByItself(
  { reason, endedBy }: NodeError,
  settings: Choosing,
  table: Clouds = clouds,
): boolean {
  if (reason === 'NodeAddressUnknown') {
    return endedBy === 'time';
  }
  return reason === 'RoleMissing' && chosenCloud(settings, table).tags === 'metadata';
}

/**
 * Returns the role that the settings name. Throws `RoleUnknown` if that role does not exist, and `RoleMissing`, with
 * the `warnings` about tags, if the settings name no role.
 */
export function roleOf(
  { settings, origins }: Loaded,
  warnings: Tagged['warnings'] = [],
  among: readonly Role[] = rolesWith(settings.roles),
  table: Clouds = clouds,
): Role {
  const { role } = settings;
  const known = `to one of: ${namesOf(among).join(', ')}.`;
  if (!role) {
    const undetected = origins.cloud?.endsWith(noCloud) ? [noCloudAdvice] : [];
    throw new NodeError(
      'RoleMissing',
      ['This VM has no role.', ...undetected, ...warnings, whereToSetRole(settings, table), known].join(' '),
    );
  }
  const found = findRole(role, among);
  if (found) {
    return found;
  }
  const meant = nearest(role.toLowerCase(), namesOf(among));
  const hint = meant ? ` Did you mean ${meant}?` : '';
  const origin = origins.role ?? 'default';
  throw new NodeError(
    'RoleUnknown',
    `"${role}" (${origin}) is not a role of Slipway.${hint} Set it ${known}`,
  );
}

function whereToSetRole(settings: Settings, table: Clouds): string {
  if (chosenCloud(settings, table).tags === 'absent') {
    return 'Set role in the settings, or --role,';
  }
  return settings.tags.role
    ? 'Set the instance tag k3s-role, or --role,'
    : 'Set role in the settings (tags.role closes the tag)';
}

const noCloudAdvice =
  'No cloud was detected, so cloud is static and has only the tags in static.tags. If this is a VM of a cloud, set cloud.';

async function describeNode(
  { paths, arch, slipway, machine }: Sources,
  settings: Settings,
  vm: Identity,
  role: Role,
): Promise<K3sNode> {
  const { node, k3s } = settings;
  const addresses = await addressesOf(machine, paths, node.ip, vm);
  if (arch !== 'x64' && arch !== 'arm64') {
    const message = `K3s is published for x64 and arm64; this machine is ${arch}. Use another VM size.`;
    throw new NodeError('UnsupportedArchitecture', message, forPerson);
  }
  return {
    role,
    name: nodeName(node.name ?? vm.computerName),
    vmId: vm.vmId,
    ...addresses,
    version: await wantedVersion(machine.host, paths, k3s),
    server: k3s.server && normaliseServer(k3s.server),
    arch,
    paths,
    settings,
    slipway,
  };
}
