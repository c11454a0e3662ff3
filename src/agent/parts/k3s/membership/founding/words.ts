import { NodeError } from '../../../../engine/errors.ts';
import { type Finding, waiting } from '../../../../engine/resource.ts';
import { forPerson } from '../../../../engine/severity.ts';
import type { K3sNode } from '../../../../node.ts';
import { clusterUnproven } from './claim.ts';
import type { Awaited, FoundingDecision } from './decision.ts';
import { clusterGone } from './lost-cluster.ts';

type Wait = Extract<FoundingDecision, { act: 'wait' }>;
type Refusal = Extract<FoundingDecision, { act: 'refuse' }>;

/** Returns the waiting finding for a decision; the message says what ends the wait, and has `lost` at its end. */
export function waitFor(node: K3sNode, { for: awaited, after }: Wait, lost: string): Finding {
  return waiting('FoundingWaits', `${toldWait(node, awaited)}${lost}`, {
    after,
    isExpected: !['elsewhere', 'hang', 'name'].includes(awaited.what) && lost === '',
  });
}

function toldWait({ settings, server }: K3sNode, awaited: Awaited): string {
  switch (awaited.what) {
    case 'peer':
      return settings.k3s.peers.length === 0 && server === undefined
        ? 'This server has no cluster and knows no other server: set k3s.peers or k3s.server, or mark the first server of a new cluster with the tag k3s-init.'
        : 'This server joins as soon as another server answers and accepts its token. If the cluster is new, mark one server with the tag k3s-init.';
    case 'start':
      return `${awaited.address} answers, but not as a server that is ready. This server joins once it accepts the token, and founds no cluster meanwhile. If this lasts, check that K3s has quorum there, and that no balancer or other program answers instead.`;
    case 'elsewhere':
      return `A cluster answers at ${awaited.address}, but at no address of k3s.peers: add the address of a server to k3s.peers, or start one that is listed.`;
    case 'hang':
      return hangingAddress(awaited.address);
    case 'name':
      return unresolvedName(awaited.address);
    case 'silence':
      return `No other server answers. If none does for another ${Math.ceil(awaited.left / 1_000)} s, this server may found the cluster.`;
  }
}

/** Returns the message about an address that accepts connections and does not answer, as a frozen server does. */
export function hangingAddress(address: string): string {
  return `${address} neither answers nor refuses connections, so nothing shows whether a cluster lives there, and this server founds none beside it. A server that hangs does this, and a balancer that waits for its servers. Wait until it answers, or end what listens there. Only if you know that no cluster lives there, take the address out of k3s.peers, k3s.server and tls-san until this server is Ready.`;
}

/** Returns the message about a server whose name does not resolve; the server may be that of a living cluster. */
export function unresolvedName(address: string): string {
  const { hostname } = new URL(address);
  return `The name ${hostname} does not resolve, so nothing shows whether a cluster lives there, and this server founds none beside it. Check the name and the DNS servers of this host. Only if you know that no cluster lives there, take the name out of k3s.peers, k3s.server and tls-san until this server is Ready.`;
}

/** Returns the error for a decision that a person must change; the message has `lost` at its end. */
export function refusal(node: K3sNode, { why, address }: Refusal, lost: string): NodeError {
  switch (why) {
    case 'refused':
      return new NodeError(
        'TokenRejected',
        `The server ${address} refuses the token of this server, and the former version of the secret does not let it join ` +
          'either. If the join token is being rotated, keep the secret and wait: this server joins once one has restarted ' +
          `with the new token. Otherwise store the token of its cluster in the secret ${node.settings.joinToken.secretName}, ` +
          `or take the server out of k3s.peers.${lost}`,
        forPerson,
      );
    case 'foreign':
      return new NodeError(
        'ClusterExists',
        `The server ${address} has a CA that the token or the disk of this server does not know, so it belongs to another ` +
          `cluster. Take it out of k3s.peers, or store the token of its cluster in the vault.${lost}`,
        forPerson,
      );
    case 'lost':
      return clusterGone(node, lost);
    case 'unproven':
      return clusterUnproven(
        node,
        'silence does not prove that none exists, and backup.to, beside which it could claim the cluster, is not set',
        lost,
      );
  }
}
