import * as z from 'zod/mini';
import { namesOf, roles } from '../../../roles/index.ts';
import type { Role } from '../../../roles/role.ts';
import { about } from '../about.ts';
import { foreignFamily } from '../address-families.ts';
import { ipAddress, nodeLabel, nodeName, nodeTaint, words } from '../forms.ts';
import type { SettingsSection } from '../section.ts';

/** The setting that names one of these roles; whether there is one of that name is judged with the tags. */
export function roleSetting(among: readonly Role[]) {
  return about(
    `What this VM is: ${namesOf(among).join(', ')}. By default the tag k3s-role says it, and an open tag wins over a settings file: set tags.role to false to fix the role here.`,
    z.optional(words),
  );
}

export const role = roleSetting(roles);

const tagsSchema = about(
  'Which instance tags are heard. A tag that is heard wins over the settings files; false closes it.',
  z.strictObject({
    role: about('Whether the tag k3s-role sets role.', z.boolean()),
    server: about('Whether the tag k3s-server sets k3s.server.', z.boolean()),
    version: about('Whether the tag k3s-version sets k3s.version.', z.boolean()),
  }),
);

export const tags = {
  schema: tagsSchema,
  defaults: { role: true, server: true, version: true },
} as const satisfies SettingsSection<typeof tagsSchema>;

const nodeSchema = about(
  'The node as Kubernetes sees it.',
  z.strictObject({
    name: about(
      'The node name; by default the lower-cased computer name. Another name on a live node registers a second Node: delete the old one with kubectl.',
      z.optional(nodeName),
    ),
    ip: about(
      'The node address; by default the one it has joined with, at first the primary private address.',
      z.optional(ipAddress),
    ),
    labels: about('Labels beside those of the role; applied at every start of K3s.', z.array(nodeLabel)),
    taints: about('Taints beside those of the role; applied when the node registers.', z.array(nodeTaint)),
  }),
);

export const node = {
  schema: nodeSchema,
  defaults: { labels: [], taints: [] },
  misfits: foreignFamily,
} as const satisfies SettingsSection<typeof nodeSchema>;
