import { findRole, roleNames } from '../roles/index.ts';
import type { Role } from '../roles/role.ts';
import type { Cloud, Identity } from './cloud/cloud.ts';
import type { Loaded } from './config/load.ts';
import type { Settings } from './config/schema.ts';
import { withTags } from './config/tags.ts';
import { NodeError } from './core/errors.ts';
import { type Lesson, learn } from './core/lesson.ts';
import { type K3sNode, nodeName, normaliseServer } from './k3s/node.ts';
import type { NodePaths } from './paths.ts';

/** All that must be known before a node can be planned, each with what it took to learn it. */
export interface Knowledge {
  readonly settings: Lesson<Loaded>;
  readonly identity: Lesson<Identity>;
  readonly role: Lesson<Role>;
  readonly node: Lesson<K3sNode>;
  readonly warnings: readonly string[];
}

export interface Informants {
  readonly loadSettings: () => Promise<Loaded>;
  readonly cloudFor: (settings: Settings) => Cloud;
  readonly paths: NodePaths;
  readonly arch: string;
  /** The path of our own executable. */
  readonly slipway: string;
}

/** Asks settings, cloud and tags, in this order; what cannot be asked now stays as it was known before. */
export async function gather(ask: Informants, before: Knowledge | undefined): Promise<Knowledge> {
  const files = await learn(before?.settings, ask.loadSettings);
  const written = files.value;
  if (!written) return { settings: files, identity: {}, role: {}, node: {}, warnings: [] };
  const identity = await learn(before?.identity, () => ask.cloudFor(written.settings).identity());
  const vm = identity.value;
  if (!vm) return { settings: files, identity, role: {}, node: {}, warnings: [] };
  const tagged = await learn(undefined, async () => withTags(written, vm.tags));
  const { loaded, warnings } = tagged.value ?? { loaded: written, warnings: [] };
  const { settings } = loaded;
  const role = await learn(undefined, async () => roleOf(settings));
  const { value: found } = role;
  const node = found ? await learn(undefined, async () => describe(ask, settings, vm, found)) : {};
  const error = files.error ?? tagged.error;
  return { settings: { value: loaded, ...(error && { error }) }, identity, role, node, warnings };
}

function roleOf({ role, tags }: Settings): Role {
  const where = tags.role
    ? 'Set the instance tag k3s-role'
    : 'Set role in the settings (the tag is closed by tags.role)';
  const known = `to one of: ${roleNames.join(', ')}.`;
  if (!role) throw new NodeError('RoleMissing', `This VM has no role. ${where} ${known}`);
  const found = findRole(role);
  if (!found) throw new NodeError('RoleUnknown', `"${role}" is no role of Slipway. ${where} ${known}`);
  return found;
}

function describe(
  { paths, arch, slipway }: Informants,
  settings: Settings,
  vm: Identity,
  role: Role,
): K3sNode {
  const { node, k3s } = settings;
  const address = node.ip ?? vm.address;
  if (!address) {
    throw new NodeError(
      'NodeAddressUnknown',
      'The cloud names no primary private address for this VM. Set node.ip.',
    );
  }
  if (arch !== 'x64' && arch !== 'arm64') {
    const message = `K3s is published for x64 and arm64; this machine is ${arch}. Use another VM size.`;
    throw new NodeError('UnsupportedArchitecture', message, { retry: { pace: 'slow' } });
  }
  return {
    role,
    name: nodeName(node.name ?? vm.computerName),
    address,
    version: k3s.version,
    server: k3s.server && normaliseServer(k3s.server),
    arch,
    paths,
    settings,
    slipway,
  };
}
