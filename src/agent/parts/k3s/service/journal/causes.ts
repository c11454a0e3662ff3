import { datastoreCauses } from './datastore-causes.ts';
import { etcdCauses } from './etcd-causes.ts';
import { hostCauses } from './host-causes.ts';
import type { KnownLine } from './known-line.ts';
import { serverCauses } from './server-causes.ts';
import { tokenCauses } from './token-causes.ts';

/** Every known line of the K3s log. The first match counts, so specific patterns come before general ones. */
export const journalCauses: readonly KnownLine[] = [
  ...tokenCauses,
  ...datastoreCauses,
  ...etcdCauses,
  ...hostCauses,
  ...serverCauses,
];
