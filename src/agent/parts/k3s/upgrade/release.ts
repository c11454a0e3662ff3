import { join } from 'node:path';
import { NodeError, toNodeError } from '../../../engine/errors.ts';
import type { Download, HostReader } from '../../../engine/host.ts';
import type { Resource } from '../../../engine/resource.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { observing } from '../../../resources/combinators.ts';
import { download } from '../../../resources/download.ts';
import { executableVersion } from '../../../resources/executable-version.ts';
import { link } from '../../../resources/link.ts';
import { joinedCluster } from '../membership/joined-cluster.ts';
import { publishedBy, publishedOrError } from '../membership/published.ts';
import { mayStay, mayUpgrade, wantedRelease } from './allowed.ts';
import { fleetRelease } from './fleet-release.ts';
import { lastVersion } from './last-version.ts';

/**
 * Keeps a K3s executable in place: the wanted release until the node has joined a cluster, then the installed one,
 * which only the sequence of an upgrade replaces. A lost or damaged executable is restored to the release of its last
 * start. A fetched release is not put in place on a node that has joined meanwhile with another one.
 *
 * Throws `VersionRefused` if the wanted version is not the name of a release. On a node that has joined, also throws
 * the errors of `mayUpgrade` and `mayStay`.
 */
export function k3sExecutable(node: K3sNode, needs: readonly string[]): Resource {
  const of = (release: K3sNode) =>
    download({
      id: 'Executable/k3s',
      summary: `download K3s ${release.version} to ${release.paths.k3s.binary}`,
      condition: 'K3sBinary',
      needs,
      installed: (host) => presentVersion(host, release),
      wanted: release.version,
      trace: release.paths.slipway.k3sDownload,
      download: releaseDownload(release),
      stillWanted: (host) => requireWish(host, node, release.version),
    });
  return observing(of, node, async (host) => ({ ...node, version: await versionToHave(host, node) }));
}

/** Keeps kubectl, crictl and ctr as links to K3s. */
export function k3sLinks({ paths }: K3sNode, needs: readonly string[]): readonly Resource[] {
  return linkPaths(paths).map((path) => link({ path, target: 'k3s', condition: 'K3sBinary', needs }));
}

/** Returns the paths of the links to K3s. */
export function linkPaths({ system }: NodePaths): readonly string[] {
  return ['kubectl', 'crictl', 'ctr'].map((name) => join(system.bin, name));
}

/**
 * Returns the installed release, which K3s prints (`k3s version v1.36.3+k3s1 (1a2b3c4d)`); `undefined` if K3s is not
 * installed. Runs K3s only if its executable has changed since the last call. Throws `CommandFailed` if K3s prints no
 * release, as when it is busy or damaged.
 */
export async function installedVersion(host: HostReader, { k3s }: NodePaths): Promise<string | undefined> {
  return versionOf(host, k3s.binary);
}

/** Returns the release of a K3s executable as `installedVersion` does; `undefined` if it is missing or damaged. */
export async function soundVersion(host: HostReader, path: string): Promise<string | undefined> {
  return (await host.stat(path)) && versionOf(host, path).catch(unlessFailed);
}

function versionOf(host: HostReader, path: string): Promise<string | undefined> {
  return executableVersion(host, path, () => printedVersion(host, path));
}

async function printedVersion(host: HostReader, path: string): Promise<string | undefined> {
  const { exitCode, stdout } = await host.query({ file: path, args: ['--version'] });
  if (exitCode === 127) {
    return undefined;
  }
  const version = /^k3s version (\S+)/m.exec(stdout)?.[1];
  if (exitCode === 0 && version !== undefined) {
    return version;
  }
  throw new NodeError(
    'CommandFailed',
    `${path} --version ended with exit code ${exitCode} and names no version. It is compared with the checksum of its release, and downloaded again if it differs.`,
    { blocks: false },
  );
}

/** Throws any error but `CommandFailed`, which means that an executable is damaged. */
function unlessFailed(thrown: unknown): undefined {
  if (toNodeError(thrown).reason !== 'CommandFailed') {
    throw thrown;
  }
}

/** Returns the download of a release for the architecture of this node (k3s-io/k3s install.sh, download_and_verify). */
export function releaseDownload({ settings, version, arch, paths }: K3sNode): Download {
  const release = `${settings.k3s.releaseUrl.replace(/\/+$/, '')}/${version.replaceAll('+', '%2B')}`;
  const [name, checksums] =
    arch === 'x64' ? ['k3s', 'sha256sum-amd64.txt'] : ['k3s-arm64', 'sha256sum-arm64.txt'];
  return {
    url: `${release}/${name}`,
    checksum: { url: `${release}/${checksums}`, name },
    path: paths.k3s.binary,
    mode: 0o755,
  };
}

/**
 * Stands for the version of an executable that does not report one. The executable is then compared with the checksum
 * of its release.
 */
const unnamed = 'none that it names';

/**
 * Returns the release that the executable must have now. A new agent takes the release of its server if that release is
 * older than the wanted one. A node that has joined keeps its installed release or, if that is lost or damaged, the
 * release of its last start. Throws the errors of `mayUpgrade` and `mayStay`.
 */
async function versionToHave(host: HostReader, node: K3sNode): Promise<string> {
  wantedRelease(node);
  if (!(await joinedCluster(host, node))) {
    return versionToJoinWith(host, node);
  }
  const named = await installedVersion(host, node.paths).catch(unlessFailed);
  if (named === undefined) {
    return (await lastVersion(host, node.paths)) ?? node.version;
  }
  if (named === node.version) {
    await mayStay(host, node);
  } else {
    await mayUpgrade(host, node, named);
  }
  return named;
}

/** An agent keeps an executable while its server does not answer: K3s may already run it, and joins with it later. */
async function versionToJoinWith(host: HostReader, node: K3sNode): Promise<string> {
  try {
    const ask = isServer(node) ? publishedBy : publishedOrError;
    return (await fleetRelease(host, node, ask)) ?? node.version;
  } catch (thrown) {
    if (!(thrown instanceof NodeError)) {
      throw thrown;
    }
    return (await soundVersion(host, node.paths.k3s.binary)) ?? node.version;
  }
}

/** Throws the errors of `versionToHave`, or `InProgress`, unless the executable must still have this release. */
async function requireWish(host: HostReader, node: K3sNode, fetched: string): Promise<void> {
  const wanted = await versionToHave(host, node);
  if (wanted !== fetched) {
    throw new NodeError(
      'InProgress',
      `K3s ${fetched} was downloaded, but is not put in place: during the download, this node joined its cluster or ` +
        `learned its release, and needs K3s ${wanted}. It takes another release only by an upgrade, in its turn.`,
      { blocks: false },
    );
  }
}

/**
 * Returns the installed version; `undefined` without an executable. If the executable does not report its version,
 * returns `unnamed` on a joined node and `undefined` on a new one.
 */
async function presentVersion(host: HostReader, node: K3sNode): Promise<string | undefined> {
  try {
    return await installedVersion(host, node.paths);
  } catch (thrown) {
    return (await joinedCluster(host, node)) ? (unlessFailed(thrown) ?? unnamed) : undefined;
  }
}
