import * as z from 'zod/mini';
import { ipAddress, words } from '../../settings/forms.ts';
import { portNumber } from '../../settings/network-forms.ts';
import { about, type Section, type SettingsSection } from '../../settings/section.ts';
import { writtenSecretsShape } from '../written-secrets.ts';
import { addressChoice } from './chosen-address.ts';
import { metadataMisfits } from './settings-rules.ts';

const metadata = z.strictObject({
  address: about('The address of the metadata service, a link-local one at most providers.', ipAddress),
  port: about(
    'Its one port, if other ports of that address must stay open, such as DNS.',
    z.optional(portNumber),
  ),
  protocol: about('The protocol of that port; by default tcp.', z.optional(z.enum(['tcp', 'udp']))),
});

const schema = about(
  'Settings for cloud static: the facts that a cloud would report about this VM.',
  z.strictObject({
    computerName: about('The computer name; by default the host name.', z.optional(words)),
    vmId: about(
      'The unique id of this VM; by default the UUID of the firmware, or else the machine id.',
      z.optional(words),
    ),
    location: about('The region.', z.optional(words)),
    address: about(
      'The primary private address, or a rule that selects it from the addresses of the machine: a range such as `10.0.0.0/16`, `interface:enp7s0`, or `default-route`. By default `default-route` or, without such a route, the only IPv4 address. If a range or an interface selects the address, pods use its interface (flannel-iface).',
      z.optional(addressChoice),
    ),
    externalAddress: about(
      'The address at which nodes in other networks reach this node (node-external-ip), or a rule that selects it, as in `address`. By default, the node has no external address.',
      z.optional(addressChoice),
    ),
    tags: about('Instance tags.', z.record(words, z.string())),
    secrets: writtenSecretsShape.secrets,
    metadata: about(
      "The addresses of the provider's metadata service, from which Slipway keeps pods (see imds.md): each entry has an `address`, and a `port` if only this port is guarded.",
      z.optional(z.array(metadata)),
    ),
    registries: writtenSecretsShape.registries,
  }),
);

export type StaticSettings = Section<typeof schema>;

export const staticSettings = {
  schema,
  defaults: { tags: {}, secrets: {}, registries: {} },
  misfits: metadataMisfits,
} as const satisfies SettingsSection<typeof schema>;
