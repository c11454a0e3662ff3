import { ok, type Probe, type Verdict, warning } from '../../doctor/probe.ts';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { type K3sNode, mayActForCluster } from '../../node.ts';
import { wishedCharts } from './wished-charts.ts';

/**
 * Returns probes that connect to the repositories and registries of the charts in the settings, on the node that
 * acts for the cluster. K3s fetches charts in a pod, so an answer to this node is a hint, not a proof.
 */
export function chartProbes(host: HostReader, node: K3sNode | undefined): readonly Probe[] {
  const origins = node !== undefined && mayActForCluster(node) ? chartOrigins(node) : [];
  return origins.map(({ origin, names }) => ({
    about: 'network',
    what: `charts of ${new URL(origin).host}`,
    look: () => lookAt(host, origin, names),
  }));
}

interface ChartOrigin {
  readonly origin: string;
  /** The charts from this origin. */
  readonly names: readonly string[];
}

function chartOrigins({ settings }: K3sNode): readonly ChartOrigin[] {
  const origins = new Map<string, readonly string[]>();
  for (const { wish } of wishedCharts(settings)) {
    const origin = originOf(wish.spec.repo ?? wish.spec.chart);
    if (origin !== undefined) {
      origins.set(origin, [...(origins.get(origin) ?? []), wish.name]);
    }
  }
  return [...origins].map(([origin, names]) => ({ origin, names }));
}

/**
 * Returns the origin of a chart's address, with https for oci; `undefined` if the address is not a valid URL, as for an
 * archive that K3s serves itself, whose host is a variable.
 */
function originOf(address: string): string | undefined {
  const web = address.replace(/^oci:/, 'https:');
  return URL.canParse(web) ? new URL(web).origin : undefined;
}

async function lookAt(host: HostReader, origin: string, names: readonly string[]): Promise<Verdict> {
  try {
    await host.get({ url: `${origin}/` });
    return ok(`it answers; K3s fetches ${names.join(', ')} from it`);
  } catch (thrown) {
    if (!(thrown instanceof NodeError)) {
      throw thrown;
    }
    return warning(
      `K3s fetches ${names.join(', ')} from it, but this node does not reach it: ${thrown.message}`,
      'set another repo or chart in workloads.charts, or open the way there',
    );
  }
}
