/** What a VM is in its cluster, as pure data. */
export type Role = Traits & (ServerTraits | AgentTraits);

interface Traits {
  /** Lower case: names of roles are compared that way. */
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
  /** Node labels, as `node.labels` may hold them; applied at every start of K3s. */
  readonly labels: readonly `${string}=${string}`[];
  /** Node taints, as `node.taints` may hold them; applied when the node registers, and never again. */
  readonly taints: readonly `${string}:${TaintEffect}`[];
  /** Megabytes of memory below which K3s does not run well (K3s requirements page). */
  readonly memory: number;
}

type TaintEffect = 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';

interface ServerTraits {
  /** The K3s command this role runs. */
  readonly k3s: 'server';
  /** Whether this node hands its cluster over to GitOps. */
  readonly gitops: boolean;
}

interface AgentTraits {
  readonly k3s: 'agent';
  /** Only a server has the kubeconfig that a handover needs. */
  readonly gitops: false;
}
