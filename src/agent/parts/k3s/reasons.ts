/** The reason about the firewall of this host. */
export const firewallReasons = {
  FirewallRejects:
    "Rules of the image's firewall reject traffic that K3s or NAT needs; the message has the consent that lets Slipway remove them.",
} as const;

/** The reasons about the VM's cluster, and about the kind of K3s node that the VM is. */
export const clusterReasons = {
  RoleChanged:
    'The VM was installed as a different kind of K3s node; the condition prints the consent that lets Slipway rebuild the node.',
  ClusterExists:
    'A server would create a second cluster beside an existing one, or cannot prove that none exists; the message has the ways out.',
  FoundingWaits:
    'A server without a cluster on its disk waits for another server that it can join or, if it is marked, for the time after which it may found the cluster. Also while an address of the cluster answers with an error, or does not resolve.',
  InitMarkStays:
    'The mark k3s-init or k3s.init is still set on a server that has had its cluster for a day: take it away.',
} as const;

/**
 * The reason for an agent without a known server. It is not part of `k3sReasons`, which contains the other reasons
 * about servers, because the page of all reasons lists the token reasons in between.
 */
export const serverReasons = {
  ServerUnknown: 'No server to join is known: set the k3s-server tag or k3s.server.',
} as const;

/** The reasons about the join token. */
export const tokenReasons = {
  TokenChanged:
    'The token in the vault differs from the one that this server was installed with; the condition prints the consent that lets Slipway use the new token.',
  TokenRotationFailed:
    'A rotation of the join token cannot continue: K3s refuses to store the new token, or starts with neither token, or the vault lacks the token of the datastore.',
  TokenRejected: 'The server does not accept the join token from the vault.',
  TokenCaMismatch: "The CA hash in the join token does not match the server's CA.",
} as const;

/** The reasons about the certificates of K3s. */
export const certificateReasons = {
  CertificateNotYetValid:
    'A certificate of K3s is valid only from a later time than the clock shows: correct the clock; K3s is not restarted for it.',
  CertificateDamaged:
    'A certificate file of K3s cannot be read as one; the message names the file and what is wrong with it.',
  CertificateNotRenewed:
    'K3s did not renew a certificate that was due, although it started; Slipway does not restart K3s for it again.',
  CaEnding: "The end of a CA certificate of the cluster is near: rotate the cluster's CA certificates.",
} as const;

/** The reasons about an external datastore. */
export const datastoreReasons = {
  DatastoreInvalid:
    'The endpoint of the datastore in the vault, or a certificate file for it, cannot be used; the message has the fault and the repair.',
  DatastoreUnreachable: 'The external datastore does not answer K3s.',
  DatastoreDenied:
    'The external datastore refuses the login of K3s, or a right that K3s needs; the message quotes its words.',
} as const;

/** The reasons about K3s itself: its version, configuration, server, service and node. */
export const k3sReasons = {
  VersionDrift: 'The wanted K3s version differs from the running one: set k3s.upgrade to auto.',
  VersionRefused:
    "The wanted K3s version is older than the installed one (except to undo the last upgrade), more than one minor version newer, or newer than the server's; or an agent would be too old for its server.",
  VersionGivenUp:
    'The wanted K3s version did not come up on this node; the message says whether the node went back, and when the version is tried again.',
  ChannelUnreachable: 'The list of the K3s channels cannot be read; a node that runs keeps its release.',
  ChannelUnknown: 'The channel in k3s.channel does not exist, or has no release.',
  ChannelAhead:
    'The channel in k3s.channel is at another minor version, to which a cluster goes only if k3s.channel names it.',
  Upgrading: 'An upgrade has put a K3s version in place, which starts or is being verified.',
  K3sConfigInvalid:
    'A key of k3s.config is unknown to this K3s command or of the wrong type, or a file of config.yaml.d cannot be read.',
  K3sOverridden:
    'Another file overrides a key of K3s that Slipway relies on; the message names key, file and line, and Slipway does not restart K3s.',
  SettingsIrreversible:
    'The settings change a K3s value that is fixed in an existing cluster, or that needs consent; K3s keeps the old value.',
  ServerChanged:
    'The server has a new CA, or the settings name a new address; the condition prints the consent that lets this agent join the server.',
  ServerUnreachable: 'The supervisor of the K3s server does not answer.',
  ServerNotReady: 'The K3s server answers, but is not ready yet.',
  UnitAdopted:
    "A unit that Slipway did not write started K3s: Slipway adopts the unit's flags, and K3s must be restarted once.",
  UnitMasked: 'The unit of K3s is masked: unmask the unit.',
  ServiceStarting: 'K3s is starting.',
  ServiceFailed: 'K3s exits soon after each start; the message quotes the error.',
  NodePasswordRejected:
    'The server knows another VM with the name of this node: remove that Node on the server, or set another node.name.',
  DatastoreTokenMismatch:
    'K3s encrypted the bootstrap data in the datastore of this server with a different token.',
  DatastoreOlder:
    'K3s does not start, because files on this server are newer than their copies in the datastore; after a change of a token, Slipway repairs that by itself.',
  DatastoreKept:
    'The settings want etcd, and this server keeps SQLite; the condition prints the consent that lets Slipway move the cluster.',
  EtcdJoining:
    'A server that joins waits until another new server has caught up: servers join one after the other.',
  EtcdNameTaken: 'A member of etcd has the name of this node already: delete the Node of the lost server.',
  EtcdMemberRemoved:
    'This server is no longer a member of etcd: its Node was deleted, or it did not catch up in time; it joins again.',
  EtcdLearnerBehind: 'This server has joined etcd for more than five minutes, and has not caught up yet.',
  QuorumLost: 'Fewer than half of the members of etcd answer, so the cluster cannot change anything.',
  SettingsDiffer:
    'A setting that all servers must share differs from that of another server; the message names the key and both values.',
  SnapshotFailed: 'K3s takes no snapshot of its etcd; the message quotes the error of K3s.',
  CopyDeclined:
    'The disk lacks the room for a copy of the datastore; what needs the copy, such as an upgrade of K3s, waits.',
  RestoreRefused: '`slipway restore` does not restore this copy; the message has the reason and the repair.',
  RestoreFailed: 'K3s does not come up with the restored datastore; the message has the way back.',
  RestoreUnfinished:
    'A restore of the datastore was begun and has not ended; Slipway leaves K3s alone until it has.',
  NodeNotFound: 'The node has not registered with the API yet.',
  NodeNotReady: 'The node is registered but its Ready condition is not True.',
  TaintNotApplied:
    'A taint is missing, because K3s sets taints only when a node registers; the message has the kubectl command that sets it.',
} as const;
