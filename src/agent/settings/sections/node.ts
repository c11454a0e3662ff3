import * as z from 'zod/mini';
import { foreignFamily } from '../address-families.ts';
import { ipAddress, nodeLabel, nodeName, nodeTaint } from '../forms.ts';
import { about, type SettingsSection } from '../section.ts';

const schema = about(
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
  schema: schema,
  defaults: { labels: [], taints: [] },
  misfits: foreignFamily,
} as const satisfies SettingsSection<typeof schema>;
