/** The command `slipway node forget`: removes the Node of a VM that is gone or was rebuilt. */
import { nodeHost } from '../agent/host/node-host.ts';
import { k3sSettingsProblems } from '../agent/parts/k3s/index.ts';
import { forgettable } from '../agent/parts/maintenance/index.ts';
import { nodePaths } from '../agent/paths.ts';
import { load } from '../agent/settings/load.ts';
import { tell } from '../setup/operator.ts';
import { isAgreed } from './agree.ts';
import type { ForgetOptions } from './cli-nodes.ts';

/**
 * Removes a Node and its password. Asks first, unless `yes` is true. Resolves to 1 if a person declined, otherwise to
 * 0. Throws the errors of `forgettable`, and `InvalidSettings` if there is no terminal to ask on.
 */
export async function forgetNode({ root, name, yes }: ForgetOptions): Promise<number> {
  const host = nodeHost({ root });
  const paths = nodePaths(root);
  const { settings } = await load(host, { paths, check: k3sSettingsProblems });
  const found = await forgettable(host, paths, settings.maintenance, name);
  tell.out(
    `The Node ${found.shown} is not Ready. Its pods end with it, and local volumes stay out of reach.`,
  );
  const does = `removes the Node ${name}`;
  if (!yes && !(await isAgreed('node forget', does, `remove the Node ${name}`))) {
    tell.error('Nothing was changed.');
    return 1;
  }
  await found.forget(host);
  tell.out(`The Node ${name} and its password are removed. A VM with this name joins as a new node.`);
  return 0;
}
