/** `slipway hold`: prevents starts, restarts and upgrades of K3s on this node, until a person releases the hold. */
import { nodeHost } from '../agent/host/node-host.ts';
import { print } from '../agent/host/process/print.ts';
import { hold, release } from '../agent/parts/maintenance/index.ts';
import { nodePaths } from '../agent/paths.ts';
import type { HoldOptions } from './cli-maintenance.ts';

/** Holds the node, or ends the hold of an earlier call. The daemon notices the change at once. Resolves to 0. */
export async function holdNode(options: HoldOptions): Promise<number> {
  const host = nodeHost({ root: options.root });
  const paths = nodePaths(options.root);
  if (options.release) {
    await release(host, paths);
    print(
      'The hold of slipway hold is released. A tag k3s-hold or the setting maintenance.hold still counts.\n',
    );
    return 0;
  }
  await hold(host, paths, options.reason || 'no reason given');
  print('This node is held: Slipway neither starts nor restarts K3s. To end it: slipway hold --release\n');
  return 0;
}
