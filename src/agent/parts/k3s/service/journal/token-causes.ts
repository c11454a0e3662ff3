import type { KnownLine } from './known-line.ts';

/** The lines that K3s logs about a token or the node's password, each with its source (k3s-io/k3s, August 2026). */
export const tokenCauses: readonly KnownLine[] = [
  {
    // From pkg/agent/config/config.go, getNodeNamedCrt
    pattern: /Node password rejected/,
    sample:
      'time="2026-08-01T10:00:00Z" level=info msg="Waiting to retrieve agent configuration; server is not ready: Node password rejected, duplicate hostname or contents of \'/etc/rancher/node/password\' may not match server node-passwd entry"',
    reason: 'NodePasswordRejected',
    fault: 'elsewhere',
    repair:
      'If this VM replaces an earlier one with this name, run slipway node forget for this node on the server; otherwise set another node.name.',
  },
  {
    // From pkg/clientaccess/token.go, validateCAHash
    pattern: /token CA hash does not match the Cluster CA certificate hash/,
    sample:
      'time="2026-08-01T10:00:00Z" level=error msg="Failed to validate connection to cluster at https://10.0.0.4:6443: token CA hash does not match the Cluster CA certificate hash: aa != bb"',
    reason: 'TokenCaMismatch',
    fault: 'elsewhere',
    repair: 'Put the token of that server into the secret, or correct k3s.server.',
  },
  {
    // From pkg/clientaccess/token.go, parseToken
    pattern: /invalid token (CA hash length|format)|token must not be empty/,
    sample:
      'time="2026-08-01T10:00:00Z" level=error msg="Failed to validate connection to cluster at https://10.0.0.4:6443: invalid token CA hash length"',
    reason: 'SecretEmpty',
    fault: 'elsewhere',
    repair: 'Put the whole token of that server into the secret.',
  },
  {
    // From pkg/cluster/storage.go, getBootstrapKeyFromStorage
    pattern: /bootstrap data already found and encrypted with different token/,
    sample:
      'time="2026-08-01T10:00:00Z" level=fatal msg="Error: preparing server: bootstrap data already found and encrypted with different token"',
    reason: 'DatastoreTokenMismatch',
    fault: 'elsewhere',
    repair: 'Put the token this server was installed with into the secret; K3s starts with no other.',
  },
  {
    // From pkg/cluster/bootstrap.go, ReconcileBootstrapData
    pattern: /newer than datastore and could cause a cluster outage/,
    sample:
      'time="2026-08-01T10:00:00Z" level=fatal msg="/var/lib/rancher/k3s/server/cred/passwd newer than datastore and could cause a cluster outage. Remove the file(s) from disk and restart to be recreated from datastore."',
    reason: 'DatastoreOlder',
    fault: 'elsewhere',
    repair:
      'If Slipway was changing a token, it repairs server/cred/passwd by itself. Otherwise, see the page about copies of the datastore.',
  },
  {
    // From pkg/cluster/storage.go, normalizeToken
    pattern: /failed to normalize (server )?token/,
    sample:
      'time="2026-08-01T10:00:00Z" level=fatal msg="starting kubernetes: failed to normalize token; must be in format K10<CA-HASH>::<USERNAME>:<PASSWORD> or <PASSWORD>"',
    reason: 'SecretEmpty',
    fault: 'elsewhere',
    repair: 'Store a plain password as the join token of a server.',
  },
];
