import type { Host, HostReader } from '../../../engine/host.ts';
import type { Finding } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';

/** The place where the servers of a cluster see that one of them rotates the join token. */
export interface RotationNotice {
  /**
   * Returns the step that shows the rotation of this server, or a wait while another server rotates the token;
   * `undefined` once the rotation of this server is shown.
   */
  shown(
    host: HostReader,
    node: K3sNode,
    rotation: { readonly from: string; readonly to: string },
  ): Promise<Finding | undefined>;
  /** Removes the notice of this server. */
  remove(host: Host, node: K3sNode): Promise<void>;
}

/** A notice that no server sees, for tests. */
export const noNotice: RotationNotice = { shown: async () => undefined, remove: async () => {} };
