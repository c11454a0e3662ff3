import type { Host, HostReader } from '../../../engine/host.ts';
import type { Finding } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';

/** A rotation of the join token that all servers of the cluster see. */
export interface ShownRotation {
  /** The name of the Node of the server that rotates. */
  readonly node: string;
  /** The digests of the tokens (`tokenDigest`). */
  readonly from: string;
  readonly to: string;
  /** True once the datastore belongs to the new token. */
  readonly isStored: boolean;
}

/** The place where the servers of a cluster see that one of them rotates the join token. */
export interface RotationNotice {
  /**
   * Returns the step that shows the rotation of this server, or a wait while another server rotates the token;
   * `undefined` once the rotation of this server is shown. With several servers, takes over the same rotation of
   * another server, which must not be the one that acts for the cluster.
   */
  shown(
    host: HostReader,
    node: K3sNode,
    rotation: { readonly from: string; readonly to: string },
  ): Promise<Finding | undefined>;
  /** Returns the rotation that the servers see. Throws the errors of `readApi`. */
  read(host: HostReader, node: K3sNode): Promise<ShownRotation | undefined>;
  /** Notes in the notice of this rotation, whichever server shows it, that the datastore belongs to the new token. */
  store(host: Host, node: K3sNode, rotation: { readonly from: string; readonly to: string }): Promise<void>;
  /** Removes the notice of this server. */
  remove(host: Host, node: K3sNode): Promise<void>;
}

/** A notice that no server sees, for tests. */
export const noNotice: RotationNotice = {
  shown: async () => undefined,
  read: async () => undefined,
  store: async () => {},
  remove: async () => {},
};
