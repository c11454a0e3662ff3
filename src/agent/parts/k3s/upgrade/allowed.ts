import * as z from 'zod/mini';
import { NodeError, rethrowNonBlocking } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { advisory } from '../../../engine/severity.ts';
import { readApi } from '../../../kubernetes/api.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import { nodeAccess } from '../../../node-access.ts';
import { datastoreCopies } from '../datastore/copies.ts';
import { copyReason, isGivenUp, readUpgrade, type UpgradeRecord } from './record.ts';
import { compareVersions, isOneStep, type K3sVersion, parseVersion } from './version.ts';

/** The number of minor versions by which a kubelet may be older than its API server. */
export const oldestKubelet = 3;

/**
 * Returns the parsed name of the release that the node wants. Throws `InProgress` if the node has not learned the
 * release of its channel yet, and `VersionRefused` if the name is not that of a release.
 */
export function wantedRelease({ version, settings }: K3sNode): K3sVersion {
  if (version === settings.k3s.channel) {
    throw new NodeError('InProgress', `The release of the channel ${version} is not known yet.`);
  }
  const wanted = parseVersion(version);
  if (!wanted) {
    throw versionRefused(`"${version}" is not the name of a K3s release such as v1.36.3+k3s1`);
  }
  return wanted;
}

/**
 * Checks whether a node that has joined may go from its installed release to the different one that it wants. A node
 * may go back only to the release from which its last upgrade came, and a server only within the same minor version.
 *
 * Throws `VersionGivenUp` if the node tried the wanted release and it did not come up; `VersionDrift` until k3s.upgrade
 * is auto; `VersionRefused` for any other downgrade, a skipped minor version, or an agent newer than its server; and
 * `ApiUnavailable` if the version of an agent's server is unknown.
 */
export async function mayUpgrade(host: HostReader, node: K3sNode, installed: string): Promise<void> {
  const record = await readUpgrade(host, node.paths);
  if (isGivenUp(record, node)) {
    throw await versionGivenUp(host, node, record);
  }
  if (node.settings.k3s.upgrade !== 'auto') {
    throw versionDrift(node, installed);
  }
  const [from, wanted] = [parseVersion(installed), wantedRelease(node)];
  if (!from || !(isOneStep(from, wanted) || mayGoBack(node, record, installed))) {
    throw versionRefused(`this node runs ${installed}; ${node.version} is ${unlike(from, wanted)}`);
  }
  if (!isServer(node)) {
    await mayFollowServer(host, node, wanted);
  }
}

/**
 * Throws `VersionGivenUp` if the node gave up its installed release, which it wants, without going back, as a server
 * does after an upgrade to another minor version.
 */
export async function mayStay(host: HostReader, node: K3sNode): Promise<void> {
  const record = await readUpgrade(host, node.paths);
  if (record?.state === 'gaveUp' && isGivenUp(record, node)) {
    throw await versionGivenUp(host, node, record);
  }
}

/**
 * True if a node may return from `wanted` to `from` without a restore of the datastore: releases of one minor version
 * read the same objects, and an agent has no datastore.
 */
export function isReversible(node: Pick<K3sNode, 'role'>, from: string, wanted: string): boolean {
  const [before, after] = [parseVersion(from), parseVersion(wanted)];
  const isSameMinor = before?.major === after?.major && before?.minor === after?.minor;
  return before !== undefined && (!isServer(node) || isSameMinor);
}

/**
 * True for the way back from the last upgrade. Once the node has begun to go back, the record describes this return.
 */
function mayGoBack(node: K3sNode, record: UpgradeRecord | undefined, installed: string): boolean {
  const { version } = node;
  const comesFrom = record?.from === version && record.wanted === installed;
  const hasBegun = record?.state === 'begun' && record.from === installed && record.wanted === version;
  return (comesFrom || hasBegun) && isReversible(node, version, installed);
}

function unlike(from: K3sVersion | undefined, wanted: K3sVersion): string {
  return from && compareVersions(wanted, from) < 0
    ? 'older, and not the release from which this node came'
    : 'more than one minor version newer';
}

/**
 * Throws `VersionRefused` if the wanted K3s is newer than that of the server, or more than three minor versions older,
 * since the API server does not support such a kubelet (https://kubernetes.io/releases/version-skew-policy). Throws
 * `ApiUnavailable` if the server's version is unknown.
 */
async function mayFollowServer(host: HostReader, node: K3sNode, wanted: K3sVersion): Promise<void> {
  const name = await serverVersion(host, node).catch(rethrowNonBlocking);
  const server = name === undefined ? undefined : parseVersion(name);
  if (!server) {
    throw new NodeError(
      'ApiUnavailable',
      `K3s ${node.version} waits until the server can be asked for its version.`,
      { blocks: false },
    );
  }
  if (compareVersions(wanted, server) > 0) {
    throw serverIsOlder(node, name);
  }
  if (server.major !== wanted.major || server.minor - wanted.minor > oldestKubelet) {
    throw versionRefused(
      `the server runs ${name}, and an agent is at most ${oldestKubelet} minor versions older`,
    );
  }
}

/** Returns the version of the API server, such as `v1.36.3+k3s1`. Throws the errors of `readApi`. */
async function serverVersion(host: HostReader, node: K3sNode): Promise<string | undefined> {
  const answer = await readApi(host, await nodeAccess(host, node), '/version', versionInfo);
  return answer?.gitVersion;
}

/** The answer to GET /version (k8s.io/apimachinery, version.Info). */
const versionInfo = z.object({ gitVersion: z.string() });

/** Returns the error of an agent that waits for its server; the server is asked again every few seconds. */
function serverIsOlder({ version }: K3sNode, server: string | undefined): NodeError {
  return new NodeError(
    'VersionRefused',
    `K3s ${version} waits until the server runs it: the server runs ${server}, and an agent is never newer.`,
    { blocks: false },
  );
}

function versionDrift({ version: wanted, settings }: K3sNode, installed: string): NodeError {
  const stay = settings.k3s.channel === undefined ? `, or k3s.version to ${installed}` : '';
  return new NodeError(
    'VersionDrift',
    `K3s ${wanted} is wanted and this node runs ${installed}. Set k3s.upgrade to auto to upgrade${stay}.`,
    advisory,
  );
}

function versionRefused(why: string): NodeError {
  return new NodeError(
    'VersionRefused',
    `K3s stays as it is: ${why}. Change k3s.version (or the tag k3s-version); to go back, put the older executable in its place by hand.`,
    advisory,
  );
}

async function versionGivenUp(
  host: HostReader,
  { paths, settings }: K3sNode,
  { state, wanted, from, why = 'It ended again and again.' }: UpgradeRecord,
): Promise<NodeError> {
  const copies = await datastoreCopies(host, paths);
  const copy = copies.findLast(({ reason }) => reason === copyReason(wanted))?.path ?? 'FILE';
  const source = settings.k3s.channel === undefined ? 'k3s.version' : 'the release of k3s.channel';
  const told =
    state === 'rolledBack'
      ? `This node went back from K3s ${wanted} to ${from}: ${why} ${triedAgain(wanted, source, why)}`
      : `K3s ${wanted} does not come up: ${why} This node does not go back to ${from} by itself. Set k3s.version to a newer ` +
        `release, or go back to the copy of the datastore that was made before: slipway restore --from ${copy}`;
  return new NodeError('VersionGivenUp', told, advisory);
}

/** Returns when a release is tried again. Does not repeat the name of a setting that `why` says to change. */
function triedAgain(wanted: string, source: string, why: string): string {
  return why.includes('k3s.config')
    ? `Then ${wanted} is tried again. A change of ${source} or k3s.releaseUrl has the same effect.`
    : `${wanted} is tried again once ${source}, k3s.releaseUrl or k3s.config changes.`;
}
