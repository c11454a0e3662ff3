import type { HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource, step } from '../../../engine/resource.ts';
import { isOnlyServer, type K3sNode } from '../../../node.ts';
import { nodeAccess } from '../../../node-access.ts';
import { neverBlocking } from '../../../resources/combinators.ts';
import { isUnderWay, readRotation, type ShownRotation, tokenState } from '../../k3s/index.ts';
import { unanswered } from '../unanswered.ts';
import { readNodes } from './look.ts';
import { rotationKey } from './notice-text.ts';
import { removeNotice, rotationNotice, showsRotation } from './rotation-notice.ts';

/**
 * Removes the notice of a rotation that has ended, because the other servers wait for its end: a notice of this server
 * that is not under way, such as one that was dropped or ended by hand; and with several servers, the notice of a
 * rotation after which all Ready servers have started with the new token.
 */
export function noticeRemoved(node: K3sNode): Resource {
  return neverBlocking({
    id: 'Token/notice',
    summary: 'let the other servers rotate the join token',
    condition: 'Turns',
    isQuiet: true,
    async check(host) {
      const shown = isOnlyServer(node) ? undefined : await rotationNotice.read(host, node).catch(unanswered);
      if (shown?.isStored) {
        return (await isEverywhere(host, node, shown.to)) ? removal(node, shown) : inSync();
      }
      if (isUnderWay(await readRotation(host, node.paths))) {
        return inSync();
      }
      const isLeft = await showsRotation(host, node).catch(unanswered);
      if (!isLeft) {
        return inSync();
      }
      // Its K3s was killed after it had stored the token, and has started with it: the other servers need it, too.
      return shown && (await tokenState(host, node, shown.to)) === 'started'
        ? step({ field: rotationKey, observed: shown.to, desired: 'stored' }, (changing) =>
            rotationNotice.store(changing, node, shown),
          )
        : step({ field: rotationKey, observed: node.name, desired: undefined }, (changing) =>
            rotationNotice.remove(changing, node),
          );
    },
  });
}

/** True if each Ready server shows that K3s has started with the new token, and at least one does. */
async function isEverywhere(host: HostReader, node: K3sNode, to: string): Promise<boolean> {
  const nodes = (await readNodes(host, await nodeAccess(host, node)).catch(unanswered)) ?? [];
  const servers = nodes.filter(({ isServer, ready }) => isServer && ready === 'True');
  return servers.length > 0 && servers.every(({ token }) => token?.to === to && token.state === 'started');
}

function removal(node: K3sNode, shown: ShownRotation): Finding {
  return step({ field: rotationKey, observed: shown.node, desired: undefined }, (changing) =>
    removeNotice(changing, node, shown),
  );
}
