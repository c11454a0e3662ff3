import { join } from 'node:path';
import type { HostReader } from '../../engine/host.ts';
import type { Resource } from '../../engine/resource.ts';
import { download } from '../../resources/download.ts';
import { executableVersion } from '../../resources/executable-version.ts';
import type { GitOpsContext } from '../gitops.ts';
import type { FluxSettings } from './settings.ts';

export const fluxExecutableId = 'Executable/flux';

/** Returns the Resource that installs the flux CLI at the pinned version, verified by the release's checksum file. */
export function fluxExecutable(settings: FluxSettings, context: GitOpsContext): Resource {
  const path = fluxPath(context.binDir);
  return download({
    id: fluxExecutableId,
    summary: `download flux ${settings.version} to ${path}`,
    condition: 'GitOps',
    installed: (host) => installedVersion(host, path),
    wanted: settings.version,
    trace: context.downloadTrace,
    download: { ...releaseFiles(settings, context.arch), path, mode: 0o755, member: 'flux' },
  });
}

export function fluxPath(binDir: string): string {
  return join(binDir, 'flux');
}

/** Returns the version from output such as `flux version 2.9.4`; `undefined` for any other output. */
function installedVersion(host: HostReader, path: string): Promise<string | undefined> {
  return executableVersion(host, path, async () => {
    const { stdout } = await host.query({ file: path, args: ['--version'] });
    return /^flux version (\S+)/.exec(stdout)?.[1];
  });
}

/**
 * Returns the URLs and names of a release's files (fluxcd/flux2 .goreleaser.yml). The tag has a v before the version;
 * the file names do not.
 */
function releaseFiles({ releaseUrl, version }: FluxSettings, arch: GitOpsContext['arch']) {
  const release = `${releaseUrl}/v${version}`;
  const name = `flux_${version}_linux_${arch === 'x64' ? 'amd64' : 'arm64'}.tar.gz`;
  return {
    url: `${release}/${name}`,
    checksum: { url: `${release}/flux_${version}_checksums.txt`, name },
  };
}
