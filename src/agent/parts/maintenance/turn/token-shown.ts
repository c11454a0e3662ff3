import type { HostReader } from '../../../engine/host.ts';
import { inSync, type Resource, step } from '../../../engine/resource.ts';
import { isOnlyServer, isServer, type K3sNode } from '../../../node.ts';
import { neverBlocking } from '../../../resources/combinators.ts';
import { readOwnNode, tokenState } from '../../k3s/index.ts';
import { changeNode } from '../drain/change-node.ts';
import { unanswered } from '../unanswered.ts';
import { tokenKey } from './annotations.ts';
import { rotationNotice } from './rotation-notice.ts';

/**
 * Shows on the Node of one of several servers how far it is with a new join token, as long as the Lease shows a
 * rotation: servers restart only once all of them have the token. Returns no Resource on other nodes.
 */
export function tokenShown(node: K3sNode, needs: readonly string[]): readonly Resource[] {
  if (!isServer(node) || isOnlyServer(node)) {
    return [];
  }
  const resource: Resource = {
    id: 'Token/shown',
    summary: 'show the servers how far this one is with the new join token',
    condition: 'Turns',
    isQuiet: true,
    needs,
    async check(host) {
      const found = await readOwnNode(host, node).catch(unanswered);
      const annotation = found && (await wantedAnnotation(host, node));
      const observed = found?.metadata?.annotations?.[tokenKey];
      if (annotation === undefined || observed === (annotation.text ?? undefined)) {
        return inSync();
      }
      const change = { field: tokenKey, observed, desired: annotation.text ?? undefined };
      return step(change, (changing) =>
        changeNode(changing, node, () => ({ metadata: { annotations: { [tokenKey]: annotation.text } } })),
      );
    },
  };
  return [neverBlocking(resource)];
}

/** Returns the annotation that the Node should have, `null` for none; `undefined` while this is unknown. */
async function wantedAnnotation(
  host: HostReader,
  node: K3sNode,
): Promise<{ readonly text: string | null } | undefined> {
  try {
    const shown = await rotationNotice.read(host, node);
    const state = shown && (await tokenState(host, node, shown.to));
    return {
      text: shown === undefined || state === undefined ? null : JSON.stringify({ to: shown.to, state }),
    };
  } catch (thrown) {
    return unanswered(thrown);
  }
}
