import type { HostReader } from '../../engine/host.ts';
import type { Finding } from '../../engine/resource.ts';

/**
 * The kinds of interruptions, in descending order of priority: while a node asks for one, later ones in this list wait
 * for it, unless they are urgent, or could have their turn earlier.
 */
export const wishKinds = ['reboot', 'upgrade', 'token', 'restart', 'certificates'] as const;

/** What a node wants to interrupt its service for. */
export interface Wish {
  readonly kind: (typeof wishKinds)[number];
  /** A name that is the same on all nodes with this wish, such as `upgrade v1.36.4+k3s1` or `restart config`. */
  readonly name: string;
  /**
   * Twelve hexadecimal digits that identify exactly what this node wants. A node that wants something else has another
   * digest.
   */
  readonly digest: string;
  /** True if the wish cannot wait for a maintenance window, such as the replacement of a credential that ends soon. */
  readonly outsideWindows?: boolean;
  /**
   * True if neither a drain nor the health of other nodes may delay the wish, such as the renewal of a certificate that
   * ends soon.
   */
  readonly isUrgent?: boolean;
  /**
   * True if the node may be cut off from its cluster until the change is made. If the API does not answer, the change
   * then needs no turn.
   */
  readonly isAboutAccess?: boolean;
  /**
   * True if the release of an upgrade is in place, so that only a restart is left to do. A node that cannot take its
   * turn may be repaired by this restart, but not by an upgrade.
   */
  readonly isInPlace?: boolean;
  /**
   * True once the change is made and only has to prove itself. Such a wish keeps a turn that has begun, but asks for
   * none, and the gate lets it through.
   */
  readonly isMade?: boolean;
  /**
   * Why the change cannot be made now. The gate then gives up a turn that has begun for the wish, with this message,
   * and asks for none.
   */
  readonly givenUp?: string;
}

/**
 * Decides whether this node may be interrupted now. Returns `undefined` if it may; otherwise a wait with its reason, or
 * a partial drift whose remedy is the next step on the way, such as asking for a turn or evicting a pod.
 */
export type Gate = (host: HostReader, wish: Wish) => Promise<Finding | undefined>;

/** Lets every interruption through at once. */
export const openGate: Gate = async () => undefined;
