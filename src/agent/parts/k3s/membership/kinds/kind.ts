import type { K3sNode } from '../../../../node.ts';
import type { NodePaths } from '../../../../paths.ts';
import type { Settings } from '../../../../settings/schema.ts';

/** How a node belongs to its cluster. */
export type Membership = 'agent' | 'firstServer' | 'joiningServer';

type Scalar = string | number | boolean;

/** The keys of config.yaml with their values. */
export type K3sConfig = Readonly<Record<string, Scalar | readonly Scalar[]>>;

/** The state of the machine that decides which keys config.yaml has. */
export interface WrittenState {
  /** True if the file with the token for agents exists: K3s does not start if a key names a missing file. */
  readonly hasAgentToken: boolean;
}

/** What a node needs from others before the first start of K3s. */
export type Need =
  /** A server that answers and accepts the token of this node. */
  'server';

/** A check of the node against its cluster. */
export type Verification =
  /** The server does not found a second cluster. */
  | 'founding'
  /** A restore of the datastore ends before anything else begins. */
  | 'restore'
  /** The node stays on the server it has joined. */
  | 'serverKept'
  /** The settings of the cluster keep the values with which K3s started. */
  | 'settingsKept'
  /** The token pins the CA of the cluster. */
  | 'pinnedCa'
  /** The server accepts the token. */
  | 'tokenAccepted'
  /** The node publishes its release of K3s to the nodes that join it. */
  | 'releasePublished'
  /** A rotation of the token ends, and K3s saves its passwords. */
  | 'tokenRotated';

/** One kind of membership. Code that depends on the kind asks this record and never compares the K3s command. */
export interface MembershipKind {
  readonly name: Membership;
  /** One line that describes the kind to an operator. */
  readonly summary: string;
  readonly needs: readonly Need[];
  /** Returns the keys of config.yaml that depend on the kind. */
  writes(node: K3sNode, state: WrittenState): K3sConfig;
  readonly verifies: readonly Verification[];
  /** The keys that config.yaml never has on a node of this kind. */
  readonly forbids: readonly string[];
  /** Returns the path of a file that exists only if K3s has joined or founded a cluster. */
  proof(paths: NodePaths): string;
  /** Returns the name of the secret that contains the token of the node. */
  tokenSecret(settings: Settings): string;
}
