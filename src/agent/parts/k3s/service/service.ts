import { commandLine } from '../../../engine/command-line.ts';
import type { Command, Host, HostReader } from '../../../engine/host.ts';
import { type Change, type Finding, inSync, type Resource, waiting } from '../../../engine/resource.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import { showUnit, systemctl } from '../../../resources/unit.ts';
import { lookAtStart, restartChanges, rewrittenInput } from './outdated-start.ts';
import type { StartSources } from './start-sources.ts';
import { type Shown, serviceStarting, unitProperties } from './starting.ts';

const serviceId = 'Service/k3s';

/**
 * Keeps K3s started. Restarts a K3s that is starting if an input differs from the stamp of its start, unless one of
 * `written`, the Resources that write the inputs, still has to restore an input. A K3s that runs is restarted by
 * `k3sRestart`.
 *
 * The unit is Type=notify without a time limit, so K3s is started with --no-block and then watched. Until it is up, the
 * reason is `ServiceStarting`, or the cause of a delay in the journal of this start. If K3s has exited and systemd is
 * about to start it again, the reason is `ServiceFailed`, or the cause in the journal.
 */
export function k3sService(
  node: K3sNode,
  sources: StartSources,
  needs: readonly string[],
  written: readonly Resource[] = [],
): Resource {
  const unit = unitName(node.role.k3s);
  return {
    id: serviceId,
    summary: `systemctl start ${unit}`,
    condition: 'K3sRunning',
    needs,
    check: (host) => checkService(host, { node, unit, sources, written }),
  };
}

interface Subject {
  readonly node: K3sNode;
  readonly unit: string;
  readonly sources: StartSources;
  readonly written: readonly Resource[];
}

async function checkService(host: HostReader, subject: Subject): Promise<Finding> {
  const { node, unit, sources } = subject;
  const shown = await showUnit(host, unit, unitProperties);
  // A unit of Type=notify also has a job while it starts, but then its journal can show what delays the start.
  if (/^[1-9]/.test(shown.Job) && shown.ActiveState !== 'activating') {
    return waiting('ServiceStarting', `systemd is at work on ${unit}`, { after: 1_000 });
  }
  switch (shown.ActiveState) {
    case 'active':
    case 'reloading': {
      const { changed, remarks } = await lookAtStart(host, node, sources, shown);
      const pending = changed.length > 0 ? [`a restart for ${changed.join(', ')} is due`] : [];
      return inSync({ message: ['K3s runs', ...remarks, ...pending].join('; ') });
    }
    case 'activating': {
      return (await startOutdated(host, subject, shown)) ?? serviceStarting(host, node, unit, shown);
    }
    case 'deactivating':
      return waiting('ServiceStarting', `${unit} is stopping`, { after: 2_000 });
    default: {
      const observed = shown.ActiveState || 'unknown';
      return drifted([{ field: unit, observed, desired: 'active' }], systemctl('start', '--no-block', unit));
    }
  }
}

function drifted(changes: readonly Change[], command: Command): Finding {
  const remedy = async (host: Host) => void (await host.run(command));
  return { state: 'Drifted', drift: { changes, summary: commandLine(command), remedy } };
}

/**
 * Returns the restart of a K3s that starts with outdated inputs, or a wait for an input; `undefined` if no input has
 * changed. Needs no turn, since K3s does not serve yet.
 */
async function startOutdated(host: HostReader, subject: Subject, shown: Shown): Promise<Finding | undefined> {
  const { node, unit, sources, written } = subject;
  const { changed } = await lookAtStart(host, node, sources, shown);
  if (changed.length === 0) {
    return undefined;
  }
  const restart = drifted(restartChanges(changed), systemctl('restart', '--no-block', unit));
  return (await rewrittenInput(host, written)) ?? restart;
}
