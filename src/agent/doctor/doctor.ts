import { hintsOf } from '../clouds/chosen.ts';
import type { Resource } from '../engine/resource.ts';
import { chosenEngine } from '../gitops/chosen.ts';
import { parts } from '../parts/index.ts';
import type { Examined, Part } from '../parts/part.ts';
import type { Settings } from '../settings/schema.ts';
import { cloudProbes } from './cloud.ts';
import { conditionProbes } from './conditions.ts';
import { networkProbes } from './network.ts';
import { ok, type Probe, subjects, type Verdict, warning } from './probe.ts';

/** The node to examine, and the daemon's plan for it. */
export interface Patient extends Examined {
  readonly plan: readonly Resource[];
  /** Resolves to true if the daemon runs. */
  readonly isRunning: () => Promise<boolean>;
}

/**
 * Returns the probes for everything that a Ready node depends on, grouped by subject. Within a subject, the probes
 * common to all nodes come first, then those of the parts, in the order of the table.
 */
export function probesFor(patient: Patient, table: readonly Part[] = parts): readonly Probe[] {
  const probes = [...ownProbes(patient), ...table.flatMap((part) => part.probes(patient))];
  return subjects.flatMap((subject) => probes.filter(({ about }) => about === subject));
}

function ownProbes({ machine, configured, node, plan, isRunning }: Patient): readonly Probe[] {
  return [
    ...(configured ? [...askedNetwork(configured), ...cloudProbes({ ...configured, node })] : []),
    { about: 'node', what: 'daemon', look: async () => daemonVerdict(await isRunning()) },
    ...conditionProbes(configured?.host ?? machine, plan),
  ];
}

function askedNetwork({ host, settings, endpoints }: NonNullable<Patient['configured']>): readonly Probe[] {
  const { proxy } = settings.network;
  return networkProbes({ host, asked: askedBy(settings, endpoints), proxy, hints: hintsOf(settings) });
}

function daemonVerdict(isRunning: boolean): Verdict {
  if (isRunning) {
    return ok('it runs');
  }
  return warning('it does not run, so nothing is corrected.', 'systemctl enable --now slipway');
}

/** Returns the URLs of the login servers, the cloud's services, the K3s releases and the GitOps engine's services. */
function askedBy({ registries, k3s, gitops }: Settings, endpoints: readonly URL[]): readonly URL[] {
  const servers = registries.servers.map((server) => new URL(`https://${server}`));
  return [...servers, ...endpoints, new URL(k3s.releaseUrl), ...chosenEngine(gitops).endpoints];
}
