import { randomUUID } from 'node:crypto';
import type { Cloud } from '../../../../clouds/cloud.ts';
import { Recorded } from '../../../../engine/errors.ts';
import type { Host, HostReader } from '../../../../engine/host.ts';
import { type Finding, inSync, type Resource } from '../../../../engine/resource.ts';
import { type K3sNode, unitName } from '../../../../node.ts';
import { fileText } from '../../../../resources/file-text.ts';
import { showUnit } from '../../../../resources/unit.ts';
import { isConsented } from '../../../../settings/consents.ts';
import { isRedacted } from '../fetched-token.ts';
import { tokenUnusable } from '../server-password.ts';
import { parseToken, type Token, tokenDigest } from '../token.ts';
import { type Claims, claimName, claimText, clusterUnproven, foundingSubject } from './claim.ts';
import { decideFounding, type FoundingDecision, type PeerAnswer } from './decision.ts';
import { clusterOnDisk } from './disk.ts';
import { lostCluster } from './lost-cluster.ts';
import { memberKept } from './member.ts';
import { type FoundingMemory, noteSilence } from './memory.ts';
import { fetchOtherVersion } from './other-version.ts';
import { askServers, otherServers } from './peers.ts';
import { type FoundingRecord, readFounding, writeFounding } from './record.ts';
import { recorded } from './recorded.ts';
import { refuseFormer } from './restored-cluster.ts';
import { refusal, waitFor } from './words.ts';

export const foundingId = 'Cluster/founding';

/** What this process has, besides the machine, to decide whether a server founds a cluster. */
export interface FoundingPorts {
  readonly memory: FoundingMemory;
  /** Absent if the settings name no place for backups. */
  readonly claims?: Claims | undefined;
}

/**
 * Decides how a server with embedded etcd comes to its cluster, and records the decision, from which config.yaml is
 * made. A server that has a cluster on its disk keeps it. A server with an empty disk joins or waits; only a marked one
 * founds the cluster, if nothing answers for five minutes and it could claim the cluster or has consent. A server that
 * had a cluster founds no other one.
 *
 * If another server refuses the token, fetches the current or the former version of the secret; the remedy throws
 * `TokenRejected` if this server cannot join with either. Waits with `FoundingWaits`. Throws `ClusterExists` if the
 * server must not found a cluster.
 */
export function etcdFounding(
  node: K3sNode,
  ports: FoundingPorts & { readonly cloud: Cloud },
  needs: readonly string[],
): Resource {
  return {
    id: foundingId,
    summary: 'decide whether this server founds or joins its cluster',
    condition: 'Role',
    needs,
    async check(host) {
      const disk = await clusterOnDisk(host, node.paths);
      const record = await readFounding(host, node.paths);
      const token = await serverToken(host, node);
      switch (disk) {
        case 'etcd':
          if (record?.state === 'migrates') {
            return inSync();
          }
          await refuseFormer(host, node, token);
          return memberKept(host, node, { record, token, claims: ports.claims });
        case 'sqlite':
          return inSync();
        case 'removed':
          // Its cluster lives without it, so it must not found another one.
          return decided(host, unmarked(node), ports, { record, token, lost: '' });
        case 'empty':
          return decided(host, node, ports, { record, token, lost: await lostCluster(host, node, record) });
      }
    },
  };
}

function unmarked(node: K3sNode): K3sNode {
  const { settings } = node;
  return { ...node, settings: { ...settings, k3s: { ...settings.k3s, init: false } } };
}

/** Returns the join token of this server; `undefined` if it is missing, damaged or of a dry run. */
export async function serverToken(host: HostReader, { paths }: K3sNode): Promise<Token | undefined> {
  const text = await fileText(host, paths.slipway.joinToken);
  return isRedacted(text) ? undefined : parseToken(text);
}

interface Known {
  readonly record: FoundingRecord | undefined;
  readonly token: Token | undefined;
  /** What the messages add if the server may have lost the disk with its cluster; otherwise empty. */
  readonly lost: string;
}

async function decided(
  host: HostReader,
  node: K3sNode,
  { memory, claims, cloud }: FoundingPorts & { readonly cloud: Cloud },
  { record, token, lost }: Known,
): Promise<Finding> {
  if (token === undefined) {
    throw new Recorded('a dry run has no token to show to other servers');
  }
  const isMarked = node.settings.k3s.init;
  const addresses = await otherServers(host, node);
  const answers = await askServers(host, node, addresses, token);
  const decision = decideFounding({
    record,
    isMarked,
    isStarted: await isStarted(host, node),
    answers,
    silentFor: noteSilence(memory, isSilent(answers), host.monotonic()),
    isConsented: isConsented(node.settings, 'founding', foundingSubject(node)),
    canClaim: claims !== undefined,
    hadCluster: lost !== '',
  });
  return found(host, node, { decision, record, token, claims, cloud, lost });
}

function isSilent(answers: readonly PeerAnswer[]): boolean {
  return answers.every(({ says }) => says === 'silent');
}

async function isStarted(host: HostReader, { role }: K3sNode): Promise<boolean> {
  const { ActiveState } = await showUnit(host, unitName(role.k3s), ['ActiveState']);
  return ['active', 'reloading', 'activating'].includes(ActiveState);
}

interface Decided extends Known {
  readonly decision: FoundingDecision;
  readonly token: Token;
  readonly claims: Claims | undefined;
  readonly cloud: Cloud;
}

function found(host: HostReader, node: K3sNode, known: Decided): Finding {
  const { decision, record, token, cloud, lost } = known;
  switch (decision.act) {
    case 'stay':
      return inSync();
    case 'wait':
      return waitFor(node, decision, lost);
    case 'refuse':
      return fetchOtherVersion(node, cloud, token, refusal(node, decision, lost));
    case 'join':
      return recorded(node, record, { state: 'joins', server: decision.server, at: host.now() });
    case 'found':
      refusePinned(node, token);
      return recorded(node, record, { ...record, state: 'founds', server: undefined, at: host.now() });
    case 'claim':
      refusePinned(node, token);
      return claimed(node, known);
  }
}

/**
 * Returns the drift that claims the cluster. The text of the claim is on the disk before the claim is made, so that a
 * crash in between does not lock this server out.
 */
function claimed(node: K3sNode, { record, token, claims, lost }: Decided): Finding {
  const remedy = async (host: Host) => {
    const nonce = (record?.state === 'claiming' ? record.nonce : undefined) ?? randomUUID();
    const digest = tokenDigest(token);
    await writeFounding(host, node.paths, { state: 'claiming', nonce, at: host.now() });
    if ((await claims?.claim(host, claimName(digest), claimText(node, nonce))) !== 'claimed') {
      throw clusterUnproven(
        node,
        `${claimName(digest)} in ${claims?.name} shows that the cluster was founded before`,
        lost,
      );
    }
    await writeFounding(host, node.paths, { state: 'founds', nonce, claimed: digest, at: host.now() });
  };
  const change = { field: 'claim', observed: undefined, desired: `in ${claims?.name}` };
  return { state: 'Drifted', drift: { summary: 'claim and found the cluster', changes: [change], remedy } };
}

/** Throws `SecretEmpty` if the token names a CA: a server that founds its cluster makes its own CA. */
function refusePinned(node: K3sNode, { caHash }: Token): void {
  if (caHash !== undefined) {
    const why = 'it names the CA of a cluster, and this server is about to make its own CA';
    throw tokenUnusable(node.settings.joinToken.secretName, why);
  }
}
