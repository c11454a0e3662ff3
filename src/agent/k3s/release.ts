import { join } from 'node:path';
import { NodeError } from '../core/errors.ts';
import type { Download, HostReader } from '../core/host.ts';
import type { Resource } from '../core/resource.ts';
import type { NodePaths } from '../paths.ts';
import { download } from '../resources/download.ts';
import { link } from '../resources/link.ts';
import { joinedCluster } from './joined.ts';
import { type K3sNode, nodeKubeconfig } from './node.ts';
import { compareVersions, isOneStep, type K3sVersion, parseVersion } from './version.ts';

/**
 * The K3s executable of the wanted release.
 *
 * On a node that has joined a cluster another version is `VersionDrift` until k3s.upgrade is auto; and even then
 * never down, never over a minor version, and on an agent never beyond its server's: `VersionRefused`.
 */
export function k3sExecutable(node: K3sNode, needs: readonly string[]): Resource {
  return download({
    id: 'Executable/k3s',
    summary: `download K3s ${node.version} to ${node.paths.k3s.binary}`,
    condition: 'K3sBinary',
    needs,
    installed: async (host) => {
      const installed = await installedVersion(host, node.paths);
      await mayReplace(host, node, installed);
      return installed;
    },
    wanted: node.version,
    download: releaseDownload(node),
  });
}

/** The other names K3s answers to. */
export function k3sLinks({ paths }: K3sNode, needs: readonly string[]): readonly Resource[] {
  return ['kubectl', 'crictl', 'ctr'].map((name) =>
    link({ path: join(paths.system.bin, name), target: 'k3s', condition: 'K3sBinary', needs }),
  );
}

/** The release K3s says it is (`k3s version v1.36.3+k3s1 (1a2b3c4d)`); `undefined` where there is none. */
export async function installedVersion(host: HostReader, { k3s }: NodePaths): Promise<string | undefined> {
  const { stdout } = await host.query({ file: k3s.binary, args: ['--version'] });
  return /^k3s version (\S+)/m.exec(stdout)?.[1];
}

/** Where a release has the file for this architecture (k3s-io/k3s install.sh, download_and_verify). */
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

async function mayReplace(host: HostReader, node: K3sNode, installed: string | undefined): Promise<void> {
  const wanted = parseVersion(node.version);
  if (!wanted) throw refused(`"${node.version}" is not the name of a K3s release such as v1.36.3+k3s1`);
  if (installed === undefined || installed === node.version || !(await joinedCluster(host, node))) return;
  const from = parseVersion(installed);
  if (node.settings.k3s.upgrade !== 'auto') throw drift(node.version, installed);
  if (!from || !isOneStep(from, wanted)) {
    throw refused(
      `this node runs ${installed}; ${node.version} is older, or more than one minor version newer`,
    );
  }
  if (node.role.k3s === 'agent') await mayFollowServer(host, node, wanted);
}

/** Kubelet must not be newer than its API server (https://kubernetes.io/releases/version-skew-policy). */
async function mayFollowServer(host: HostReader, node: K3sNode, wanted: K3sVersion): Promise<void> {
  const answer = await host.query({
    file: node.paths.k3s.binary,
    args: ['kubectl', '--kubeconfig', nodeKubeconfig(node), '--request-timeout=10s', 'version', '-o', 'json'],
  });
  const name = /"serverVersion"[^}]*"gitVersion":\s*"([^"]+)"/.exec(answer.stdout)?.[1];
  const server = name === undefined ? undefined : parseVersion(name);
  if (!server) {
    throw new NodeError(
      'ApiUnavailable',
      `K3s ${node.version} waits until the server can be asked for its version.`,
      {
        blocks: false,
      },
    );
  }
  if (compareVersions(wanted, server) > 0) {
    throw refused(`the server runs ${name}, and an agent is never newer: upgrade the server first`);
  }
}

function drift(wanted: string, installed: string): NodeError {
  return new NodeError(
    'VersionDrift',
    `K3s ${wanted} is wanted and this node runs ${installed}. Set k3s.upgrade to auto to upgrade, or k3s.version to ${installed}.`,
    { retry: { pace: 'slow' }, blocks: false },
  );
}

function refused(why: string): NodeError {
  return new NodeError(
    'VersionRefused',
    `K3s stays as it is: ${why}. Change k3s.version (or the tag k3s-version).`,
    {
      retry: { pace: 'slow' },
      blocks: false,
    },
  );
}
