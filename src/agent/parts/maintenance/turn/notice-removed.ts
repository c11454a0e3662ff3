import { inSync, type Resource, step } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { neverBlocking } from '../../../resources/combinators.ts';
import { isUnderWay, readRotation } from '../../k3s/index.ts';
import { unanswered } from '../unanswered.ts';
import { rotationKey, rotationNotice, showsRotation } from './rotation-notice.ts';

/**
 * Removes the notice of a rotation of this server that is not under way, such as one that was dropped or ended by hand,
 * because the other servers wait for its end.
 */
export function noticeRemoved(node: K3sNode): Resource {
  return neverBlocking({
    id: 'Token/notice',
    summary: 'let the other servers rotate the join token',
    condition: 'Turns',
    isQuiet: true,
    async check(host) {
      if (isUnderWay(await readRotation(host, node.paths))) {
        return inSync();
      }
      const isLeft = await showsRotation(host, node).catch(unanswered);
      return isLeft
        ? step({ field: rotationKey, observed: node.name, desired: undefined }, (changing) =>
            rotationNotice.remove(changing, node),
          )
        : inSync();
    },
  });
}
