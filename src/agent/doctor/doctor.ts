import { chosenCloud, hintsOf } from '../clouds/chosen.ts';
import { type Clouds, clouds } from '../clouds/index.ts';
import type { Resource } from '../engine/resource.ts';
import { portProbes } from '../parts/k3s/index.ts';
import { firewallProbe, machineProbes } from '../parts/machine/index.ts';
import type { Examined } from '../parts/part.ts';
import { defaults } from '../settings/defaults.ts';
import type { Settings } from '../settings/schema.ts';
import { cloudProbes } from './cloud.ts';
import { conditionProbes } from './conditions.ts';
import { networkProbes } from './network.ts';
import { ok, type Probe, type Verdict, warning } from './probe.ts';

/** The node that is to be examined, and what the daemon would do with it. */
export interface Patient extends Examined {
  readonly plan: readonly Resource[];
  /** Whether the daemon runs. */
  readonly isRunning: () => Promise<boolean>;
}

/** The whole chain that a Ready node hangs on, in its order: machine, network, cloud, and the node's own conditions. */
export function probesFor({
  machine,
  measures,
  paths,
  configured,
  node,
  plan,
  isRunning,
}: Patient): readonly Probe[] {
  return [
    ...machineProbes({ host: machine, measures, paths, node }),
    ...portProbes(machine, node, hintsOf(configured?.settings ?? defaults)),
    firewallProbe(machine, node),
    ...(configured
      ? [
          ...networkProbes({
            host: configured.host,
            asked: askedBy(configured.settings),
            proxy: configured.settings.network.proxy,
          }),
          ...cloudProbes({ ...configured, node }),
        ]
      : []),
    { about: 'node', what: 'daemon', look: async () => daemonVerdict(await isRunning()) },
    ...conditionProbes(configured?.host ?? machine, plan),
  ];
}

function daemonVerdict(isRunning: boolean): Verdict {
  if (isRunning) return ok('it runs');
  return warning('it does not run, so nothing is put right.', 'systemctl enable --now slipway');
}

/** What these settings have this node ask on the network. */
export function askedBy(settings: Settings, table: Clouds = clouds): readonly URL[] {
  const { registries, k3s } = settings;
  const servers = registries.servers.map((server) => new URL(`https://${server}`));
  return [...servers, ...chosenCloud(settings, table).endpoints, new URL(k3s.releaseUrl)];
}
