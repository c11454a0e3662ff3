/** What a VM is in its cluster, as pure data. */
export interface Role {
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
  /** The K3s command this role runs. */
  readonly k3s: 'server' | 'agent';
  /** Node labels, `key=value`; applied at every start of K3s. */
  readonly labels: readonly string[];
  /** Node taints, `key=value:effect`; applied when the node registers, and never again. */
  readonly taints: readonly string[];
  /** Whether this node hands its cluster over to GitOps. */
  readonly gitops: boolean;
  /** Megabytes of memory below which K3s does not run well (K3s requirements page). */
  readonly memory: number;
}
