import * as z from 'zod/mini';
import { foreignFamily } from '../address-families.ts';
import { ipAddress, nodeLabel, nodeName, nodeTaint } from '../forms.ts';
import { about, type SettingsSection } from '../section.ts';

const schema = about(
  'The node as Kubernetes sees it.',
  z.strictObject({
    name: about(
      'The name of the node; by default the computer name in lower case. If you change the name of a running node, it registers a second Node: delete the old Node with kubectl.',
      z.optional(nodeName),
    ),
    ip: about(
      'The address of the node. By default, a new node uses its primary private address, and a node that has joined keeps the address with which it joined.',
      z.optional(ipAddress),
    ),
    labels: about(
      'Labels in addition to those of the role. K3s applies them each time it starts.',
      z.array(nodeLabel),
    ),
    taints: about(
      'Taints in addition to those of the role. K3s applies them only when the node registers.',
      z.array(nodeTaint),
    ),
  }),
);

export const node = {
  schema: schema,
  defaults: { labels: [], taints: [] },
  misfits: foreignFamily,
} as const satisfies SettingsSection<typeof schema>;
