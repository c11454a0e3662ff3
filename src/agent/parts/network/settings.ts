import * as z from 'zod/mini';
import { addressRange, guestName, userId } from '../../settings/forms.ts';
import { about, type SettingsSection } from '../../settings/section.ts';
import { imdsMisfits } from './settings-rules.ts';

const allowed = z.strictObject({
  name: about('A name for readers.', guestName),
  from: about('The source address of its pods, or a range of them.', z.optional(addressRange)),
  uid: about('The user it runs as, on the VM or in a pod with hostNetwork.', z.optional(userId)),
});

const schema = about(
  'The processes that may use the instance metadata service, and thereby the identity of this VM (see imds.md).',
  z.strictObject({
    pods: about(
      'Whether pods, and users of the VM other than root, are kept from the metadata service. The default is block, except on a node that ran pods before Slipway guarded it (see imds.md). Needs nftables.',
      z.optional(z.enum(['block', 'allow'])),
    ),
    allow: about(
      'The exceptions: each with a `name`, and either `from` (an address or range of pods) or `uid` (a user of the VM, or of pods with hostNetwork).',
      z.array(allowed),
    ),
  }),
);

export const imds = {
  schema,
  defaults: { allow: [] },
  misfits: imdsMisfits,
} as const satisfies SettingsSection<typeof schema>;
