import * as z from 'zod/mini';
import { findRole } from '../../../roles/index.ts';
import { nodeLabel, nodeTaint, text } from '../forms.ts';
import type { Problem } from '../path.ts';
import { about, type SettingsSection, type Written } from '../section.ts';

const roleName = text(
  /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  'have up to 63 lower-case letters, digits and dashes, and begin with a letter',
);

const definedRole = z.strictObject({
  k3s: about('The K3s command that a node of this role runs.', z.enum(['server', 'agent'])),
  labels: about(
    'Labels of a node of this role, which each start of K3s applies.',
    z.optional(z.array(nodeLabel)),
  ),
  taints: about(
    'Taints of a node of this role, which apply only when the node registers.',
    z.optional(z.array(nodeTaint)),
  ),
});

const schema = about(
  'Further roles by name, each with its K3s command and optional labels and taints: gpu: { k3s: agent, labels: [role=gpu], taints: [gpu=true:NoSchedule] }.',
  z.record(roleName, definedRole),
);

export const roles = {
  schema,
  defaults: {},
  misfits: builtInNames,
} as const satisfies SettingsSection<typeof schema>;

function builtInNames(defined: Written): readonly Problem[] {
  const message = 'is a role of Slipway already; give this one another name';
  return Object.keys(defined)
    .filter((name) => findRole(name) !== undefined)
    .map((name) => ({ path: [name], message }));
}
