import { failure, ok, type Probe, skipped, type Verdict, warning } from '../../../doctor/probe.ts';
import { toNodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { followRedirects, whyRefused } from '../../../engine/redirects.ts';
import type { K3sNode } from '../../../node.ts';
import { installedVersion, releaseDownload } from './release.ts';

interface ReleaseProbe {
  readonly host: HostReader;
  /** The node; `undefined` while its role is unknown. */
  readonly node: K3sNode | undefined;
}

/**
 * Checks that the list of checksums for the wanted release can be downloaded and contains the K3s executable. A failed
 * request is only a warning if this release is already installed.
 */
export function releaseProbe(subject: ReleaseProbe): Probe {
  return { about: 'cloud', what: 'K3s release', look: () => lookAtRelease(subject) };
}

async function lookAtRelease({ host, node }: ReleaseProbe): Promise<Verdict> {
  if (!node) {
    return skipped('the role, and so the release, is not known yet');
  }
  if (node.version === node.settings.k3s.channel) {
    return skipped(`the release of the channel ${node.version} is not known yet`);
  }
  try {
    return await lookAtChecksums(host, node);
  } catch (thrown) {
    if ((await installedVersion(host, node.paths)) !== node.version) {
      throw thrown;
    }
    const { reason, message } = toNodeError(thrown);
    return { ...warning(`K3s is installed all the same. ${message}`), reason };
  }
}

async function lookAtChecksums(host: HostReader, node: K3sNode): Promise<Verdict> {
  const { checksum } = releaseDownload(node);
  const ask = (url: URL) => host.get({ url: url.href });
  const { answer, refused } = await followRedirects(new URL(checksum.url), ask);
  const { status, body } = answer;
  const { host: mirror } = new URL(checksum.url);
  if (refused) {
    return failure(`${checksum.url} ${whyRefused(refused)}.`, redirectsElsewhere);
  }
  const repair = 'set k3s.version to a release that exists, or k3s.releaseUrl to the address of yours';
  if (status !== 200) {
    return failure(`${checksum.url} answers ${status}.`, repair);
  }
  const isListed = body.split('\n').some((line) => line.trim().endsWith(` ${checksum.name}`));
  if (!isListed) {
    return failure(`${checksum.url} does not name ${checksum.name}.`, repair);
  }
  return ok(`${node.version} is at ${mirror}`);
}

const redirectsElsewhere = 'correct the redirects of that server, or set k3s.releaseUrl to another';
