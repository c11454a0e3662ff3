import { NodeError } from '../../../../engine/errors.ts';
import type { Host } from '../../../../engine/host.ts';
import { forPerson } from '../../../../engine/severity.ts';
import type { K3sNode } from '../../../../node.ts';
import { consentAdvice } from '../../../../settings/consents.ts';

/** The place beside the backups where a server claims to found a cluster. */
export interface Claims {
  /** The place, for messages; contains no secret. */
  readonly name: string;
  /**
   * Creates a small object. Resolves to `claimed` if this call, or an earlier one with the same text, created it, and
   * to `exists` if the object has another text. Rejects if it is in doubt.
   */
  claim(host: Host, name: string, text: string): Promise<'claimed' | 'exists'>;
}

/** Returns the name of the claim of a cluster, from the digest of its token. */
export function claimName(tokenDigest: string): string {
  return `founding/${tokenDigest}.json`;
}

/** Returns the text of a claim, which no other server and no later disk of this server repeats. */
export function claimText({ name, vmId }: K3sNode, nonce: string): string {
  return `${JSON.stringify({ node: name, vm: vmId ?? '', nonce })}\n`;
}

/**
 * Returns `ClusterExists` for a server that is alone as far as it can see and may not found the cluster. The message
 * has the ways out, and `lost`, what `lostCluster` returns.
 */
export function clusterUnproven(node: K3sNode, why: string, lost: string): NodeError {
  const consent = consentAdvice(node.settings, 'founding', foundingSubject(node));
  return new NodeError(
    'ClusterExists',
    `No other server answers, and this server does not found a cluster: ${why}. If the servers only do not answer, start ` +
      'them: this server then joins. If the cluster is lost, restore it with slipway restore. If there never was one, or ' +
      `it is given up, ${consent}.${lost}`,
    forPerson,
  );
}

/** Returns what consent.founding names to let this server found a cluster: the id of its VM. */
export function foundingSubject({ vmId, name }: K3sNode): string {
  return vmId ?? name;
}
