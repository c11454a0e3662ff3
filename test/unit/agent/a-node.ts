import * as z from 'zod/mini';
import type { Finding, Resource } from '../../../src/agent/engine/resource.ts';
import type { K3sNode } from '../../../src/agent/node.ts';
import { nodePaths } from '../../../src/agent/paths.ts';
import { defaults } from '../../../src/agent/settings/defaults.ts';
import { type Settings, settingsSchema } from '../../../src/agent/settings/schema.ts';
import { findRole, type roles } from '../../../src/roles/index.ts';
import type { Role } from '../../../src/roles/role.ts';
import type { MemoryHost } from '../../lab/memory-host.ts';
import { carryOut } from '../../lab/memory-jobs.ts';

export type RoleName = (typeof roles)[number]['name'];

type Written = { readonly [Section in keyof typeof defaults]?: object };

/** Returns the default settings for Azure, with the fields in `changes` replaced. */
export function someSettings(changes: Written = {}): Settings {
  const sections = Object.entries(changes).map(([name, section]) => [
    name,
    { ...(defaults[name as keyof typeof defaults] as object), ...section },
  ]);
  return z.parse(settingsSchema, { ...defaults, cloud: 'azure', ...Object.fromEntries(sections) });
}

export interface NodeChanges extends Partial<Omit<K3sNode, 'role' | 'settings' | 'paths'>> {
  readonly settings?: Written;
  readonly root?: string;
}

/** Returns a node with this role; an agent gets a server to join. Throws if the role does not exist. */
export function aNode(role: RoleName | Role, changes: NodeChanges = {}): K3sNode {
  const { settings, root = '/', ...rest } = changes;
  const known = typeof role === 'string' ? findRole(role) : role;
  if (!known) {
    throw new Error(`no role ${role}`);
  }
  return {
    role: known,
    name: 'vm-1',
    address: '10.0.0.5',
    version: 'v1.36.3+k3s1',
    ...(known.k3s === 'agent' && { server: 'https://10.0.0.4:6443' }),
    arch: 'x64',
    paths: nodePaths(root),
    settings: someSettings(settings),
    slipway: '/usr/bin/slipway',
    ...rest,
  };
}

/**
 * Returns the outcome of a check in a short form for tables: the state with the drifted fields or the reason for
 * waiting, or a description of the error.
 */
export async function outcome(resource: Resource, host: MemoryHost): Promise<string> {
  try {
    return told(await resource.check(host));
  } catch (error) {
    return failure(error);
  }
}

function told(finding: Finding): string {
  if (finding.state === 'Waiting') {
    return `Waiting ${finding.reason}`;
  }
  if (finding.state === 'InSync') {
    return 'InSync';
  }
  const { changes, blocks = true } = finding.drift;
  return `Drifted${blocks ? '' : ' (non-blocking)'} ${changes.map(({ field }) => field).join(', ')}`;
}

/**
 * Returns a description of an error: its reason, what ends it and whether it blocks; only its message if it has no
 * reason.
 */
export function failure(error: unknown): string {
  const { reason, endedBy, blocks, message } = error as Record<string, unknown>;
  return reason ? `${reason} (${endedBy}${blocks ? '' : ', non-blocking'})` : `Error: ${message}`;
}

/**
 * Checks and corrects until a check finds no drift, a remedy fails, or `passes` passes are over. Returns the outcomes
 * in order; the last one is `never in sync` if the passes were not enough.
 */
export async function settle(resource: Resource, host: MemoryHost, passes = 6): Promise<readonly string[]> {
  const seen: string[] = [];
  for (let pass = 0; pass < passes; pass += 1) {
    seen.push(await outcome(resource, host));
    const finding = await resource.check(host).catch(() => undefined);
    if (finding?.state !== 'Drifted') {
      return seen;
    }
    try {
      await carryOut(finding.drift.remedy, host);
    } catch (error) {
      return [...seen, failure(error)];
    }
  }
  return [...seen, 'never in sync'];
}
