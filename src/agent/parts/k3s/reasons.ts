/** The reasons about the kind of K3s node that this VM is, and about its cluster. */
export const clusterReasons = {
  RoleChanged:
    'The VM was installed as another kind of K3s node; the condition prints the consent that rebuilds it.',
  ClusterExists:
    'A server would found a second cluster beside an existing one; Slipway runs one server so far.',
} as const;

/**
 * The reason for an agent without a known server. `k3sReasons` has the other reasons about servers; the page of all
 * reasons lists the token reasons between the two tables.
 */
export const serverReasons = {
  ServerUnknown: 'No server to join is known: set the k3s-server tag or k3s.server.',
} as const;

/** The reasons about the join token. */
export const tokenReasons = {
  TokenChanged:
    'The vault holds another token than the one this server was installed with; the condition prints the consent that takes it.',
  TokenRejected: 'The server does not accept the join token of the vault.',
  TokenCaMismatch: 'The CA hash in the join token is not the one of the server.',
} as const;

/** The reasons about K3s itself: its version, configuration, server, service and node. */
export const k3sReasons = {
  VersionDrift: 'The wanted K3s version differs from the one that runs: set k3s.upgrade to auto.',
  VersionRefused: 'The K3s version wanted is older, or more than one minor newer, or newer than the server.',
  K3sConfigInvalid:
    'A key of k3s.config is unknown to this K3s command or of the wrong type, or a file of config.yaml.d cannot be read.',
  K3sOverridden:
    'Another file gives K3s a value that Slipway relies on; key, file and line are named, and K3s is left as it is.',
  SettingsIrreversible:
    'A setting of K3s was changed that a living cluster cannot change, or only with consent; K3s keeps the old value.',
  ServerChanged:
    'The server has another CA, or another address is wanted; the condition prints the consent that joins it.',
  ServerUnreachable: 'The supervisor of the K3s server does not answer.',
  ServerNotReady: 'The K3s server answers but is not ready yet.',
  UnitAdopted:
    'K3s was started by a unit that Slipway did not write: its flags are taken over and it is started again first.',
  UnitMasked: 'The unit of K3s is masked: unmask it.',
  ServiceStarting: 'K3s is starting.',
  ServiceFailed: 'K3s ends right after its start; its own message is quoted.',
  NodePasswordRejected:
    'The server remembers another node of this name: delete the node there, or set another node.name.',
  DatastoreTokenMismatch: 'The datastore of this server was encrypted with another token.',
  NodeNotFound: 'The node has not registered with the API yet.',
  NodeNotReady: 'The node is registered but its Ready condition is not True.',
  ApiUnavailable: 'The Kubernetes API does not answer yet.',
  TaintNotApplied: 'Taints apply at registration only; the message has the kubectl line that sets this one.',
} as const;
