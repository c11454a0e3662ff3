import type { HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { neverBlocking, unless, withoutMessage } from '../../../resources/combinators.ts';
import { download } from '../../../resources/download.ts';
import { dueUpgrade } from './due.ts';
import { releaseDownload, soundVersion } from './release.ts';

/**
 * Downloads the release of an upgrade ahead of its turn, beside the executable, and verifies it. Removes such a file if
 * no upgrade needs it any more. Blocks nothing: K3s runs from the installed release.
 */
export function releaseFetched(node: K3sNode, needs: readonly string[]): Resource {
  const { k3s, slipway } = node.paths;
  const fetched = download({
    id: 'Upgrade/fetched',
    summary: `download K3s ${node.version} ahead of its turn`,
    condition: 'K3sBinary',
    needs,
    installed: (host) => soundVersion(host, k3s.next),
    wanted: node.version,
    trace: slipway.k3sDownload,
    download: { ...releaseDownload(node), path: k3s.next },
  });
  const when = unless(fetched, async (host) =>
    (await dueUpgrade(host, node)) ? undefined : leftoverGone(host, node),
  );
  // Leaves out the message, since the condition should report the release that runs.
  return neverBlocking(withoutMessage(when));
}

/** Returns the drift of a downloaded release that nothing needs; keeps it while the node may still upgrade to it. */
async function leftoverGone(host: HostReader, { paths, settings, version }: K3sNode): Promise<Finding> {
  const { k3s } = paths;
  if ((await host.stat(k3s.next)) === undefined) {
    return inSync();
  }
  const isWanted = settings.k3s.upgrade === 'auto' && (await soundVersion(host, k3s.binary)) !== version;
  if (isWanted && (await soundVersion(host, k3s.next)) === version) {
    return inSync();
  }
  const changes = [{ field: k3s.next, observed: 'there', desired: undefined }];
  const summary = `remove ${k3s.next}`;
  return { state: 'Drifted', drift: { changes, summary, remedy: (host) => host.remove(k3s.next) } };
}
