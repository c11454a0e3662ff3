import { commandLine } from '../../../engine/command-line.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource } from '../../../engine/resource.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import { showUnit, systemctl } from '../../../resources/unit.ts';
import type { Gate, Wish } from '../gate.ts';
import { wishInPlace } from '../upgrade/wish.ts';
import { type LookedUp, lookAtStart, restartChanges, rewrittenInput } from './outdated-start.ts';
import type { StartSources } from './start-sources.ts';

export interface RestartPorts {
  readonly sources: StartSources;
  readonly gate: Gate;
  /** The Resources that write the inputs of a start. */
  readonly written?: readonly Resource[];
}

/**
 * Restarts a running K3s whose inputs differ from the stamp of its start, once the gate allows the interruption. All
 * changes of one pass cause only one restart. Waits instead while one of `written` still has to restore an input.
 */
export function k3sRestart(node: K3sNode, ports: RestartPorts, needs: readonly string[]): Resource {
  const unit = unitName(node.role.k3s);
  return {
    id: 'Service/restart',
    summary: `systemctl restart ${unit}`,
    condition: 'K3sRunning',
    needs,
    check: (host) => check(host, node, ports),
  };
}

async function check(host: HostReader, node: K3sNode, ports: RestartPorts): Promise<Finding> {
  const { sources, gate, written = [] } = ports;
  const shown = await showUnit(host, unitName(node.role.k3s), ['ActiveState', 'InvocationID', 'Job']);
  // A K3s that is still starting does not serve yet, so `k3sService` restarts it without the gate.
  if (!['active', 'reloading'].includes(shown.ActiveState) || /^[1-9]/.test(shown.Job)) {
    return inSync();
  }
  const start = await lookAtStart(host, node, sources, shown);
  if (start.changed.length === 0) {
    return inSync({ message: 'no restart of K3s is due' });
  }
  const wish = { ...restartWish(start), ...(await wishInPlace(host, node)) };
  return (await rewrittenInput(host, written)) ?? (await gate(host, wish)) ?? restart(node, start);
}

/** The inputs whose old content may cut K3s off from its cluster, so that only a restart with the new content helps. */
const accessInputs = ['config', 'environment', 'agentToken', 'datastoreEndpoint'];
/** The inputs whose old content soon stops working, so that their change does not wait for a maintenance window. */
const endingInputs = ['registryLogins', 'lastingLogins'];

function restartWish({ changed, digest }: LookedUp): Wish {
  return {
    kind: 'restart',
    name: `restart ${changed.join(', ')}`,
    digest,
    ...(changed.some((name) => endingInputs.includes(name)) && { outsideWindows: true }),
    ...(changed.some((name) => accessInputs.includes(name)) && { isAboutAccess: true }),
  };
}

function restart({ role }: K3sNode, { changed }: LookedUp): Finding {
  const command = systemctl('restart', '--no-block', unitName(role.k3s));
  const remedy = async (host: Host) => void (await host.run(command));
  const changes = restartChanges(changed);
  return { state: 'Drifted', drift: { changes, summary: commandLine(command), blocks: false, remedy } };
}
