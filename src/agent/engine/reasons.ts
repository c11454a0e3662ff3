/**
 * Every reason a condition, an error or a log line of Slipway can carry, with what it means.
 *
 * Errors and conditions share this one vocabulary; docs/usage/conditions.md is generated from it.
 */
export const reasons = {
  // the daemon
  InSync: 'The node is as it should be.',
  Changed: 'Something was put right in this pass; the next pass verifies it.',
  Recorded: 'A dry run noted this instead of doing it.',
  Blocked: 'Waits for another resource, which is named.',
  DidNotConverge: 'The same change was made again and again and never held: something else writes there too.',
  InternalError: 'A defect in Slipway: please report it with the message.',
  InvalidSettings: 'The settings cannot be used; each problem names its file, its path and the repair.',
  AlreadyRunning: 'Another slipway holds the lock of this machine.',

  // the machine
  PermissionDenied: 'The system refused access to a file: run as root, or give --root.',
  ReadOnly: 'The file system is mounted read-only.',
  DiskFull: 'There is no room left on the device.',
  FileSystemError: 'The system refused a file operation.',
  CommandFailed: 'A command ended with an error.',
  CommandNotFound: 'A command this node needs is not installed.',
  CommandTimedOut: 'A command did not end in its time and was stopped.',
  UnsafePath:
    'A directory, link or settings file on the way to what root runs or trusts belongs to another user, or others may write to it.',
  MountedNoexec: 'A directory from which K3s is run is on a file system that is mounted noexec.',
  CgroupsUnsupported:
    'The kernel has cgroups of version 1, with which the wanted K3s (1.35 and newer) does not start.',
  MemoryTooSmall: 'The VM has less memory than its role needs.',
  UnsupportedArchitecture: 'K3s is published for x64 and arm64; this machine is neither.',
  NftablesMissing: 'There is no nft to keep pods from the metadata service: apt-get install nftables.',
  ImdsGuardFailed: 'The rules that keep pods from the metadata service could not be loaded; nft is quoted.',

  // the network
  Unreachable: 'A connection could not be made.',
  TimedOut: 'An answer did not come in time.',
  TlsUntrusted:
    'The certificate of the other side is not trusted: set network.caFile where a proxy re-signs.',
  ProxyUnauthorized:
    'The proxy wants a login, or refuses the one it is given: see network.proxyCredentialsFile.',
  UnexpectedAnswer: 'The other side answered, but not with what its protocol promises.',
  Throttled: 'The other side asked for fewer requests; it is asked again when it said.',

  // what this VM is
  IdentityUnavailable: 'The instance metadata service has no answer yet.',
  RoleMissing: 'The VM has no k3s-role tag and the settings name no role.',
  RoleUnknown: 'The k3s-role tag names no role that Slipway knows.',
  RoleChanged:
    'The VM was installed as another kind of K3s node; the condition prints the consent that rebuilds it.',
  ClusterExists:
    'A server would found a second cluster beside one that is there; Slipway runs one server so far.',
  NodeNameInvalid: 'The computer name is no valid Kubernetes node name: set node.name.',
  NodeAddressUnknown: 'The primary private address is not known: set node.ip.',
  ServerUnknown: 'No server to join is known: set the k3s-server tag or k3s.server.',

  // the identity and the vault
  ManagedIdentityMissing: 'The VM has no managed identity yet, or not the one the settings name.',
  ManagedIdentityAmbiguous: 'The VM has several managed identities: set azure.identity.clientId.',
  ManagedIdentityUnavailable: 'The managed identity endpoint does not answer yet.',
  ForeignHost:
    "A host outside the domains of the VM's own cloud is named where a token of its identity would be shown to it.",
  VaultNotConfigured: 'No Key Vault is configured: set azure.keyVault.name.',
  VaultNotFound: 'The name of the Key Vault does not resolve: check azure.keyVault.name.',
  VaultForbidden: 'The identity may not read this secret: assign it the role Key Vault Secrets User.',
  VaultFirewall:
    'The firewall of the Key Vault refuses this address: allow the subnet or use a private endpoint.',
  VaultWrongTenant: 'The Key Vault does not accept tokens of this tenant.',
  VaultUnavailable: 'The Key Vault does not answer, or answers with an error of its own.',
  SecretNotFound: 'The secret does not exist in the vault yet.',
  SecretDisabled: 'The secret is disabled or expired in the vault.',
  SecretEmpty: 'The secret exists but has no usable value.',
  SecretExposed: 'The file that holds the secret is open to every user of the machine: chmod 600.',

  // the registry
  RegistryUnavailable: 'The registry does not answer, or answers with an error of its own.',
  RegistryNotFound: 'The name of the registry does not resolve: check registries.servers.',
  RegistryUnauthorized:
    'The registry does not accept the identity: check its tenant and azure.registryAudience.',
  RegistryForbidden:
    'The registry refuses this address or identity: check its firewall and role assignments.',
  RegistriesInvalid: 'The registries.yaml that would be written does not parse; the old one stays.',
  ProviderNotOurs: 'Another credential provider is configured for kubelet; it was left alone.',
  PullDenied:
    'The registry knows the identity but refuses the pull: assign AcrPull, or Container Registry Repository Reader on a registry with ABAC.',
  PullCredentialRefused: 'The registry does not accept the credential that registries.yaml holds.',
  ContainerdLoginEnds:
    "A login that containerd got at K3s's start, and pulls with by itself, ends soon or has ended: restart K3s, or set registries.onRotate to auto.",
  ProofImageNotFound: 'The image that is to prove pulls is not in the registry: check registries.proof.',
  StorageUnreachable:
    'The registry sends layers from a storage endpoint that this VM cannot reach or that refuses it.',

  // the K3s node
  TokenChanged:
    'The vault holds another token than the one this server was installed with; the condition prints the consent that takes it.',
  TokenRejected: 'The server does not accept the join token of the vault.',
  TokenCaMismatch: 'The CA hash in the join token is not the one of the server.',
  DownloadFailed: 'A download did not succeed; it is resumed or started over.',
  ChecksumMismatch: 'A download does not have the digest its release promises; it was thrown away.',
  ChecksumMissing: 'The checksum file of the release has no line for this file.',
  VersionDrift: 'Another K3s version is wanted than the node runs: set k3s.upgrade to auto.',
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

  // GitOps
  BootstrapFailed: 'The bootstrap of Flux did not finish; it is tried again.',
  BootstrapPathDiffers: 'Flux is bootstrapped at another path than the settings name; nothing was changed.',
  SourceNotReady: 'The GitRepository is not Ready; its own message is quoted.',
  KustomizationNotReady: 'The Kustomization is not Ready; its own message is quoted.',
} as const;

export type Reason = keyof typeof reasons;
