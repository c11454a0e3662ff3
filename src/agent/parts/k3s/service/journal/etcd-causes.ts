import type { KnownLine } from './known-line.ts';

/** The lines that K3s logs about embedded etcd, each with its source (k3s-io/k3s, August 2026). */
export const etcdCauses: readonly KnownLine[] = [
  {
    // From pkg/etcd/etcd.go, Start, on errMemberListEmpty and ErrMemberNotLearner
    pattern: /Waiting for other members to finish joining etcd cluster|not yet been promoted from learner/,
    sample:
      'time="2026-08-01T10:00:00Z" level=info msg="Waiting for other members to finish joining etcd cluster: etcdserver: too many learner members in cluster"',
    reason: 'EtcdJoining',
    fault: 'elsewhere',
    endedBy: 'time',
    repair: 'Servers join one after the other; K3s tries again every few seconds.',
  },
  {
    // From pkg/etcd/etcd.go, pollJoin, on ErrMemberListFailed
    pattern: /Waiting to retrieve etcd cluster member list/,
    sample:
      'time="2026-08-01T10:00:00Z" level=info msg="Waiting to retrieve etcd cluster member list: failed to get MemberList from server: https://10.0.1.4:6443/db/info: 500 Internal Server Error"',
    reason: 'QuorumLost',
    fault: 'elsewhere',
    endedBy: 'time',
    repair:
      'The server that this one joins does not list the members of etcd: it is starting, or the cluster has no majority. If this lasts, start the other servers, or let TCP 2379 and 2380 pass. If they are lost, see the page about several servers.',
  },
  {
    // From pkg/etcd/etcd.go, join, ErrDuplicateNodeName
    pattern: /duplicate node name found, please use a unique name for this node/,
    sample:
      'time="2026-08-01T10:00:00Z" level=error msg="Shutdown request received: \\"etcd cluster join failed: duplicate node name found, please use a unique name for this node\\""',
    reason: 'EtcdNameTaken',
    fault: 'elsewhere',
    repair:
      'If this VM replaces a lost server with this name, delete its Node on another server: kubectl delete node NAME. That also removes the member of etcd. Otherwise set another node.name.',
  },
  {
    // From pkg/etcd/etcd.go, Reset and IsInitialized, for a server that was removed and has no server to join
    pattern: /tombstone file has been detected but --server is empty/,
    sample:
      'time="2026-08-01T10:00:00Z" level=fatal msg="Error: preparing server: failed to bootstrap cluster data: tombstone file has been detected but --server is empty: backup and delete $DATADIR/server/db to create a new cluster, or set --server to rejoin the cluster"',
    reason: 'EtcdMemberRemoved',
    fault: 'elsewhere',
    repair: 'Slipway lets this server join again once a server in k3s.peers answers.',
  },
  {
    // From pkg/etcd/etcd.go, handleRemoval
    pattern: /This node has been removed from the cluster - please restart/,
    sample:
      'time="2026-08-01T10:00:00Z" level=info msg="This node has been removed from the cluster - please restart k3s to rejoin the cluster"',
    reason: 'EtcdMemberRemoved',
    fault: 'elsewhere',
    endedBy: 'time',
    repair:
      'It joins again by itself. If its Node was not deleted, it did not catch up within five minutes: check the disk and the network between the servers.',
  },
  {
    // From pkg/etcd/etcd.go, Start, while etcd has no leader
    pattern: /Failed to test etcd connection(?!: etcd datastore is not started)|etcdserver: no leader/,
    sample:
      'time="2026-08-01T10:00:00Z" level=info msg="Failed to test etcd connection: failed to get etcd status: rpc error: code = Unavailable desc = connection error"',
    reason: 'QuorumLost',
    fault: 'elsewhere',
    endedBy: 'time',
    repair:
      'K3s waits for more than half of the servers. Start the others, or let TCP 2379 and 2380 pass. If they are lost, see the page about several servers.',
  },
];
