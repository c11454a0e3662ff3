import { join } from 'node:path';
import * as z from 'zod/mini';
import { NodeError, rethrowNonBlocking, toNodeError } from '../../../engine/errors.ts';
import type { Download, HostReader } from '../../../engine/host.ts';
import type { Resource } from '../../../engine/resource.ts';
import { advisory } from '../../../engine/severity.ts';
import { readApi } from '../../../kubernetes/api.ts';
import type { K3sNode } from '../../../node.ts';
import { nodeAccess } from '../../../node-access.ts';
import type { NodePaths } from '../../../paths.ts';
import { observing } from '../../../resources/combinators.ts';
import { download } from '../../../resources/download.ts';
import { link } from '../../../resources/link.ts';
import { joinedCluster } from '../membership/joined-cluster.ts';
import { lastVersion } from './last-version.ts';
import { compareVersions, isOneStep, type K3sVersion, parseVersion } from './version.ts';

/**
 * Keeps the K3s executable at the wanted release. Throws `VersionRefused` if the wanted version is not the name of a
 * release.
 *
 * On a node that has joined a cluster, throws `VersionDrift` for another version until k3s.upgrade is auto. Even then,
 * throws `VersionRefused` for a downgrade, a skipped minor version or an agent newer than its server, and
 * `ApiUnavailable` if the version of an agent's server is unknown. A lost or damaged executable is first restored to
 * the release of its last start, since an agent asks its server through the load balancer of its own K3s.
 */
export function k3sExecutable(node: K3sNode, needs: readonly string[]): Resource {
  const of = (release: K3sNode) =>
    download({
      id: 'Executable/k3s',
      summary: `download K3s ${release.version} to ${release.paths.k3s.binary}`,
      condition: 'K3sBinary',
      needs,
      installed: (host) => replaceable(host, release),
      wanted: release.version,
      trace: release.paths.slipway.k3sDownload,
      download: releaseDownload(release),
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
 * installed. Throws `CommandFailed` if K3s prints no release, as when it is busy or damaged.
 */
export async function installedVersion(host: HostReader, { k3s }: NodePaths): Promise<string | undefined> {
  const { exitCode, stdout } = await host.query({ file: k3s.binary, args: ['--version'] });
  if (exitCode === 127) {
    return undefined;
  }
  const version = /^k3s version (\S+)/m.exec(stdout)?.[1];
  if (exitCode === 0 && version !== undefined) {
    return version;
  }
  throw new NodeError(
    'CommandFailed',
    `${k3s.binary} --version ended with exit code ${exitCode} and names no version. It is compared with the checksum of its release, and downloaded again if it differs.`,
    { blocks: false },
  );
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
 * Returns the release to install next: the wanted one or, if a joined node has lost or damaged its executable, the
 * release of its last start, if that was recorded.
 */
async function versionToHave(host: HostReader, node: K3sNode): Promise<string> {
  if (!(await joinedCluster(host, node))) {
    return node.version;
  }
  const named = await installedVersion(host, node.paths).catch(() => undefined);
  return (named === undefined ? await lastVersion(host, node.paths) : undefined) ?? node.version;
}

/**
 * Returns the installed version; `undefined` without an executable. If the executable does not report its version,
 * returns `unnamed` on a joined node and `undefined` on a new one. Throws `VersionDrift`, `VersionRefused` or
 * `ApiUnavailable` if the wanted version may not replace the installed one.
 */
async function replaceable(host: HostReader, node: K3sNode): Promise<string | undefined> {
  const wanted = parseVersion(node.version);
  if (!wanted) {
    throw versionRefused(`"${node.version}" is not the name of a K3s release such as v1.36.3+k3s1`);
  }
  const joined = await joinedCluster(host, node);
  const installed = await installedVersion(host, node.paths).catch((thrown: unknown) => {
    if (!joined) {
      return undefined;
    }
    if (toNodeError(thrown).reason !== 'CommandFailed') {
      throw thrown;
    }
    return unnamed;
  });
  if (installed === undefined || installed === unnamed || installed === node.version || !joined) {
    return installed;
  }
  const from = parseVersion(installed);
  if (node.settings.k3s.upgrade !== 'auto') {
    throw versionDrift(node.version, installed);
  }
  if (!from || !isOneStep(from, wanted)) {
    throw versionRefused(
      `this node runs ${installed}; ${node.version} is older, or more than one minor version newer`,
    );
  }
  if (node.role.k3s === 'agent') {
    await mayFollowServer(host, node, wanted);
  }
  return installed;
}

/**
 * Throws `VersionRefused` if the wanted K3s is newer than that of the server, since kubelet must not be newer than its
 * API server (https://kubernetes.io/releases/version-skew-policy). Throws `ApiUnavailable` if the server's version is
 * unknown.
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
    throw versionRefused(`the server runs ${name}, and an agent is never newer: upgrade the server first`);
  }
}

/** Returns the version of the API server, such as `v1.36.3+k3s1`. Throws the errors of `readApi`. */
async function serverVersion(host: HostReader, node: K3sNode): Promise<string | undefined> {
  const answer = await readApi(host, await nodeAccess(host, node), '/version', versionInfo);
  return answer?.gitVersion;
}

/** The answer to GET /version (k8s.io/apimachinery, version.Info). */
const versionInfo = z.object({ gitVersion: z.string() });

function versionDrift(wanted: string, installed: string): NodeError {
  return new NodeError(
    'VersionDrift',
    `K3s ${wanted} is wanted and this node runs ${installed}. Set k3s.upgrade to auto to upgrade, or k3s.version to ${installed}.`,
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
