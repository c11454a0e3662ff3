import type { HostReader } from '../../../engine/host.ts';
import { type Drift, type Finding, step } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import type { Wish } from '../../k3s/index.ts';
import { bootTime } from '../boot-time.ts';
import { changeNode } from '../drain/change-node.ts';
import { readTurn, type TurnGrant, type TurnState, turnKeys } from '../turn/annotations.ts';
import type { OwnTurn } from './own-turn.ts';
import { readSight, remember, secondsSince } from './sight.ts';

/**
 * Returns the grant with which this node may begin its turn for a wish: a grant for exactly this wish and this boot,
 * with which the node has not begun before. The caller checks whether the grant has expired.
 */
export function offeredGrant({ grant, state }: OwnTurn, wish: Wish, boot: string): TurnGrant | undefined {
  return grant?.digest === wish.digest && grant.boot === boot && grant.nonce !== state?.nonce
    ? grant
    : undefined;
}

/** True if this node has seen the grant for longer than it allows, so that it may no longer begin. */
export async function isExpired(host: HostReader, { paths }: K3sNode, grant: TurnGrant): Promise<boolean> {
  const [sight, time] = await Promise.all([readSight(host, paths), bootTime(host)]);
  return secondsSince(sight, grant.nonce, time) > grant.seconds;
}

/**
 * Returns the step that notes the first sight of a grant with which the node may not begin now; `undefined` if it is
 * noted.
 */
export async function sightStep(
  host: HostReader,
  { paths }: K3sNode,
  { nonce }: TurnGrant,
): Promise<Finding | undefined> {
  if ((await readSight(host, paths)).seen?.nonce === nonce) {
    return undefined;
  }
  const change = { field: 'the first sight of a grant', observed: undefined, desired: nonce };
  return step(
    change,
    async (changing) =>
      remember(changing, paths, { seen: { nonce, at: (await bootTime(changing)).seconds } }),
    { summary: 'note the grant of the turn' },
  );
}

/**
 * Returns the step that begins the turn: it notes the first sight of the grant, and then writes the state `begun` on
 * its own Node, if the grant is still there. The API refuses to write if the Node has changed since it was read, so the
 * server cannot withdraw the grant at the same moment.
 */
export function beginStep(node: K3sNode, wish: Wish, { nonce, digest }: TurnGrant): Finding {
  const name = wish.name.slice(0, 200);
  const state: TurnState = { nonce, digest, wish: name, state: 'begun', message: '' };
  const change = { field: turnKeys.state, observed: undefined, desired: `begun: ${name}` };
  const remedy: Drift['remedy'] = async (host) => {
    const { seconds } = await bootTime(host);
    if ((await readSight(host, node.paths)).seen?.nonce !== nonce) {
      await remember(host, node.paths, { seen: { nonce, at: seconds } });
    }
    await changeNode(host, node, ({ metadata }) =>
      readTurn(metadata?.annotations ?? {}).grant?.nonce === nonce
        ? { metadata: { annotations: { [turnKeys.state]: JSON.stringify(state) } } }
        : undefined,
    );
  };
  return step(change, remedy, { summary: `begin the turn of this node (${name})` });
}
