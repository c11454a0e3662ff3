import type { MembershipKind } from './kind.ts';
import { ofServers, serverKeys } from './server-keys.ts';

/** The server that founds its cluster, or the only server of a cluster. */
export const firstServer: MembershipKind = {
  ...ofServers,
  name: 'firstServer',
  summary: 'a server that founds its cluster',
  needs: [],
  writes: (node, state) => ({
    ...serverKeys(node, state),
    ...(node.settings.k3s.datastore === 'etcd' && { 'cluster-init': true }),
  }),
  verifies: ['founding', 'restore', 'settingsKept', 'tokenRotated', 'releasePublished'],
  // With `server`, K3s would join that server and ignore its own datastore (pkg/cluster/managed.go).
  forbids: ['server'],
};
