import { type Resource, waiting } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { heldBack } from '../../../resources/combinators.ts';
import { activeStart } from './active-start.ts';

/**
 * Makes a restart of K3s wait while the datastore is copied: a copy does not count if K3s was restarted meanwhile. A
 * K3s that is not up is started all the same.
 */
export function unlessCopying({ paths }: K3sNode, resource: Resource): Resource {
  return heldBack(resource, async (host) => {
    const running = await host.job(paths.slipway.datastoreCopy);
    if (running === undefined || (await activeStart(host)) === undefined) {
      return undefined;
    }
    return waiting('InProgress', `waits until the job ends: ${running.what}, since ${running.since}`, {
      after: 5_000,
      blocks: false,
      isJob: true,
    });
  });
}
