import { NodeError } from '../../../../engine/errors.ts';
import type { Host, HostReader } from '../../../../engine/host.ts';
import { type Finding, inSync } from '../../../../engine/resource.ts';
import { advisory } from '../../../../engine/severity.ts';
import type { K3sNode } from '../../../../node.ts';
import { type Token, tokenDigest } from '../token.ts';
import { type Claims, claimName, claimText } from './claim.ts';
import { configuredServer } from './configured-server.ts';
import { followedPeer } from './followed-peer.ts';
import { type FoundingRecord, writeFounding } from './record.ts';

const day = 24 * 60 * 60_000;

interface Member {
  readonly record: FoundingRecord | undefined;
  readonly token: Token | undefined;
  readonly claims: Claims | undefined;
}

/**
 * Keeps the record of a server that has its cluster on its disk. Once etcd exists, the record loses the text of the
 * claim: a later, empty disk of this VM must not claim the cluster again.
 *
 * The record follows k3s.peers if the server that this one has joined is no longer listed. Also claims the cluster
 * under its present token, so that an empty server finds the claim after a rotation of the token, a consent, or a new
 * place for backups. Throws `InitMarkStays` if the server is still marked after a day.
 */
export async function memberKept(host: HostReader, node: K3sNode, known: Member): Promise<Finding> {
  const { record, token, claims } = known;
  if (record?.state !== 'member') {
    const server = record === undefined ? await configuredServer(host, node.paths) : record.server;
    const member = { ...record, state: 'member', nonce: undefined, server, at: host.now() } as const;
    return kept(record?.state, 'member', (changing) => writeFounding(changing, node.paths, member));
  }
  const server = await followedPeer(host, node, record, token);
  if (server !== undefined) {
    return kept(record.server, server, (changing) =>
      writeFounding(changing, node.paths, { ...record, server }),
    );
  }
  const digest = token && tokenDigest(token);
  if (claims !== undefined && digest !== undefined && record.claimed !== digest) {
    return kept(record.claimed, digest, async (changing) => {
      await claims.claim(changing, claimName(digest), claimText(node, 'member'));
      await writeFounding(changing, node.paths, { ...record, claimed: digest });
    });
  }
  if (node.settings.k3s.init && host.now() - record.at > day) {
    throw markStays();
  }
  return inSync();
}

function kept(observed: string | undefined, desired: string, remedy: (host: Host) => Promise<void>): Finding {
  const changes = [{ field: 'membership', observed, desired }];
  return {
    state: 'Drifted',
    drift: { summary: 'record that this server has its cluster', changes, blocks: false, remedy },
  };
}

function markStays(): NodeError {
  return new NodeError(
    'InitMarkStays',
    'This server has had its cluster for more than a day, and is still marked as the one that may found it. Take the tag ' +
      'k3s-init or k3s.init away, so that nothing founds a second cluster if the disks of all servers are lost.',
    advisory,
  );
}
