/** `slipway turn`: shows the turns of the fleet, and writes a person's orders for the server that grants turns. */
import type { Host } from '../agent/engine/host.ts';
import { printableLine } from '../agent/engine/printable.ts';
import { nodeHost } from '../agent/host/node-host.ts';
import { print } from '../agent/host/process/print.ts';
import { k3sSettingsProblems } from '../agent/parts/k3s/index.ts';
import { giveOrder, type Order, reportTurns } from '../agent/parts/maintenance/index.ts';
import { type NodePaths, nodePaths } from '../agent/paths.ts';
import { turnsJson } from '../agent/report/output.ts';
import { turnsTable } from '../agent/report/turns-table.ts';
import { load } from '../agent/settings/load.ts';
import type { TurnOptions, TurnOrderOptions } from './cli-maintenance.ts';

/** Prints which nodes have a turn, wait for one, or have failed in one. Resolves to 0. */
export async function showTurns({ root, output }: TurnOptions): Promise<number> {
  const { host, paths, maintenance } = await opened(root);
  const report = await reportTurns(host, paths, maintenance);
  print(output === 'json' ? turnsJson(report) : turnsTable(report));
  return 0;
}

const results = {
  release: ({ about }) => `The turn of ${about} will be free`,
  continue: ({ about }) => `Turns${about && ` for "${about}"`} will go on`,
  now: ({ about }) => `${about} will get its turn next, if the other nodes allow it`,
} as const satisfies Record<Order['order'], (order: Order) => string>;

/** Writes the order of a person. Resolves to 0. */
export async function orderTurn({ root, order, about }: TurnOrderOptions): Promise<number> {
  const { host, paths, maintenance } = await opened(root);
  await giveOrder(host, paths, maintenance, { order, about });
  print(
    `${printableLine(results[order]({ order, about }))}: a server acts within half a minute. See: slipway turn\n`,
  );
  return 0;
}

async function opened(root: string): Promise<{
  readonly host: Host;
  readonly paths: NodePaths;
  readonly maintenance: Awaited<ReturnType<typeof load>>['settings']['maintenance'];
}> {
  const host = nodeHost({ root });
  const paths = nodePaths(root);
  const { settings } = await load(host, { paths, check: k3sSettingsProblems });
  return { host, paths, maintenance: settings.maintenance };
}
