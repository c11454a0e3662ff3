/** The role of a VM in its cluster, as pure data. */
export type Role = Traits & (ServerTraits | AgentTraits);

interface Traits {
  /** The name, in lower case, because names of roles are compared in lower case. */
  readonly name: string;
  /** One line that describes the role to an operator. */
  readonly summary: string;
  /** Node labels, in the form of `node.labels`; applied at every start of K3s. */
  readonly labels: readonly string[];
  /** Node taints, in the form of `node.taints`; applied only when the node registers. */
  readonly taints: readonly string[];
  /** The least memory with which K3s runs well, in megabytes (K3s requirements page). */
  readonly memory: number;
}

/** A built-in role. The compiler checks its labels and taints; the settings check those of a role that they define. */
export type BuiltInRole = Role & {
  readonly labels: readonly `${string}=${string}`[];
  readonly taints: readonly `${string}:${TaintEffect}`[];
};

type TaintEffect = 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';

interface ServerTraits {
  /** The K3s command that this role runs. */
  readonly k3s: 'server';
  /** True if a node with this role hands its cluster over to GitOps. */
  readonly gitops: boolean;
}

interface AgentTraits {
  readonly k3s: 'agent';
  /** Always false: only a server has the kubeconfig that a handover needs. */
  readonly gitops: false;
}
