import type { Host, HostReader } from '../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../engine/own-file.ts';
import { compare, type Resource } from '../../../engine/resource.ts';
import { isOnlyServer, isServer, type K3sNode } from '../../../node.ts';
import { ownFiles } from '../../../own-files.ts';
import { octal } from '../../../resources/file-attributes.ts';
import { fileText } from '../../../resources/file-text.ts';
import { otherServers } from '../membership/founding/peers.ts';
import { type AskPublished, published, publishedBy } from '../membership/published.ts';
import { isOpen, readRotation } from '../membership/rotation-record.ts';
import { parseToken } from '../membership/token.ts';
import { oldestKubelet } from './allowed.ts';
import { lastVersion } from './last-version.ts';
import { readUpgrade } from './record.ts';
import { compareVersions, parseVersion } from './version.ts';

/**
 * Publishes the release that this server runs. K3s serves the file to every client (pkg/server/handlers/router.go,
 * Static). A new agent that wants a newer release starts with this one, since nothing else shows the release of a
 * server to a node that has not joined. During an upgrade, the file keeps the former release until the new one is
 * verified, and also while the node goes back.
 *
 * The file also shows that the datastore may belong to a join token that the running K3s does not accept yet, so that
 * no new server joins with the former one.
 */
export function releasePublished(node: K3sNode, needs: readonly string[]): Resource {
  const path = node.paths.k3s.publicRelease;
  const mode = 0o644;
  return {
    id: `File/${path}`,
    summary: `write ${path}`,
    condition: 'K3sBinary',
    isQuiet: true,
    needs,
    async check(host) {
      const found = await host.readFile(path);
      const shown = readOwn(published, found?.content ?? '');
      const k3s = await verifiedRelease(host, node);
      const rotates = isOpen(await readRotation(host, node.paths));
      const content = { k3s, ...(rotates && { rotates }) };
      return compare(
        { release: shown?.k3s, rotates: shown?.rotates === true, mode: octal(found?.mode ?? mode) },
        { release: k3s, rotates, mode: octal(mode) },
        (host: Host) => host.writeFile(path, renderOwn(ownFiles.publicRelease, content), { mode }),
        { blocks: false },
      );
    },
  };
}

async function verifiedRelease(host: HostReader, { paths, version }: K3sNode): Promise<string> {
  const [record, last = version] = await Promise.all([readUpgrade(host, paths), lastVersion(host, paths)]);
  const isGivenUp = record !== undefined && record.state !== 'done' && record.wanted === last;
  return record?.state === 'begun' || isGivenUp ? record.from : last;
}

/**
 * Returns the release that another server publishes (`publishedRelease`), if it is older than the one that this node
 * wants, by at most three minor versions; otherwise `undefined`. Throws the errors of `ask`.
 */
export async function fleetRelease(
  host: HostReader,
  node: K3sNode,
  ask?: AskPublished,
): Promise<string | undefined> {
  const release = await publishedRelease(host, node, ask);
  return release !== undefined && isOlderButFit(release, node.version) ? release : undefined;
}

/**
 * Returns the release that a server of the cluster publishes: the server of an agent, or the first other server that
 * publishes one, for a server. Returns `undefined` if none answers, or if the node has no token yet. If the token
 * pins a CA, only servers with this CA are asked. Throws the errors of `ask`.
 */
export async function publishedRelease(
  host: HostReader,
  node: K3sNode,
  ask = publishedBy,
): Promise<string | undefined> {
  const token = parseToken(await fileText(host, node.paths.slipway.joinToken));
  if (!token) {
    return undefined;
  }
  for (const server of await serversToAsk(host, node)) {
    const release = (await ask(host, node, server, token))?.k3s;
    if (release !== undefined && parseVersion(release)) {
      return release;
    }
  }
  return undefined;
}

async function serversToAsk(host: HostReader, node: K3sNode): Promise<readonly string[]> {
  if (!isServer(node)) {
    return node.server === undefined ? [] : [node.server];
  }
  if (isOnlyServer(node)) {
    return [];
  }
  const { peers, others } = await otherServers(host, node);
  return [...peers, ...others];
}

/** True if a release is older than the wanted one, by at most `oldestKubelet` minor versions. */
function isOlderButFit(release: string, wanted: string): boolean {
  const [older, newer] = [parseVersion(release), parseVersion(wanted)];
  return (
    older !== undefined &&
    newer !== undefined &&
    compareVersions(older, newer) < 0 &&
    older.major === newer.major &&
    newer.minor - older.minor <= oldestKubelet
  );
}
