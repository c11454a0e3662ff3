import type { MembershipKind } from './kind.ts';
import { ofServers, serverKeys } from './server-keys.ts';

/** A server that joins the cluster of other servers. */
export const joiningServer: MembershipKind = {
  ...ofServers,
  name: 'joiningServer',
  summary: 'a server that joins other servers',
  needs: ['server'],
  writes: (node, state) => ({
    ...(node.joins !== undefined && { server: node.joins }),
    ...serverKeys(node, state),
  }),
  verifies: ['founding', 'restore', 'settingsKept', 'tokenRotated', 'releasePublished'],
  forbids: ['cluster-init'],
};
