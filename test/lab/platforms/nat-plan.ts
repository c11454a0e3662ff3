/**
 * Plans NAT for a VM that exists only in memory, because Slipway sets up no NAT on a lab node, whose root is not `/`.
 */
import { reconcile } from '../../../src/agent/engine/reconcile.ts';
import { recordingHost } from '../../../src/agent/host/recording/recording-host.ts';
import { nat } from '../../../src/agent/parts/network/index.ts';
import { nodePaths } from '../../../src/agent/paths.ts';
import { type PlannedStep, stepLines } from '../../../src/agent/report/plan-text.ts';
import { load } from '../../../src/agent/settings/load.ts';
import type { NodeFile } from '../example-settings.ts';
import { memoryHost } from '../memory-host.ts';

/** The route table of a VM whose default route uses ens3, in the format of proc_pid_net(5). */
const routes = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
ens3\t00000000\t0101000A\t0003\t0\t0\t100\t00000000\t0\t0\t0
`;

/** The output of `systemctl show` for the NAT unit on a new VM, where the unit does not exist. */
const noUnit = 'LoadState=not-found\nFragmentPath=\nNeedDaemonReload=no\n';

/**
 * Resolves to the lines about NAT that `slipway plan` shows on a new VM with these settings files: all lines about the
 * rules, but only the first line about any other resource.
 */
export async function natPlan(files: readonly NodeFile[]): Promise<readonly string[]> {
  const machine = memoryHost({
    files: {
      ...Object.fromEntries(files.map(({ path, content, mode }) => [path, { content, mode }])),
      '/proc/net/route': routes,
      '/proc/sys/net/ipv4/ip_forward': '0\n',
      '/usr/sbin/nft': '',
    },
  }).on({ file: 'systemctl', args: /^show / }, noUnit);
  const paths = nodePaths('/');
  const { settings } = await load(machine, { paths });
  const host = recordingHost(machine);
  const steps: PlannedStep[] = [];
  let seen = 0;
  await reconcile(nat(settings, paths), {
    host,
    attempts: new Map(),
    random: 0,
    onOutcome(outcome) {
      steps.push({ outcome, actions: host.journal.slice(seen) });
      seen = host.journal.length;
    },
  });
  const [rules = [], ...others] = steps.map(stepLines);
  return [...rules, ...others.flatMap((lines) => lines.slice(0, 1))];
}
