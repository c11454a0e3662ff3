import { commandLine } from '../../../engine/command-line.ts';
import type { Command, Host, HostReader } from '../../../engine/host.ts';
import {
  type Change,
  type Drift,
  type Finding,
  inSync,
  type Resource,
  waiting,
} from '../../../engine/resource.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import { heldBack } from '../../../resources/combinators.ts';
import { showUnit, systemctl } from '../../../resources/unit.ts';
import type { StartSources } from './start-sources.ts';
import { changedInputs, readStamp } from './start-stamp.ts';
import { type Shown, serviceStarting, unitProperties } from './starting.ts';

const serviceId = 'Service/k3s';

/**
 * Keeps K3s running with its current inputs. Restarts K3s if an input differs from the stamp of its start, unless one
 * of `written`, the Resources that write the inputs, still has to restore an input.
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
  const service: Resource = {
    id: serviceId,
    summary: `systemctl start ${unit}`,
    condition: 'K3sRunning',
    needs,
    check: (host) => checkService(host, { node, unit, sources }),
  };
  return heldBack(service, (host, drift) => rewrittenInput(host, drift, written));
}

/**
 * Returns a wait if an input was changed by hand after its check in this pass; otherwise `undefined`. The next pass
 * first restores the input, so K3s is not restarted for the change.
 */
async function rewrittenInput(
  host: HostReader,
  { changes }: Drift,
  written: readonly Resource[],
): Promise<Finding | undefined> {
  if (!changes.some(({ desired }) => desired === asStarted)) {
    return undefined;
  }
  for (const input of written) {
    // An input whose check fails is not restored either.
    const found = await input.check(host).catch(() => inSync());
    if (found.state === 'Drifted' && !found.drift.due) {
      return waiting('Blocked', `waits for ${input.id}`, { after: 1_000, blocks: false });
    }
  }
  return undefined;
}

const asStarted = 'as K3s started';

interface Subject {
  readonly node: K3sNode;
  readonly unit: string;
  readonly sources: StartSources;
}

async function checkService(host: HostReader, subject: Subject): Promise<Finding> {
  const { node, unit } = subject;
  const shown = await showUnit(host, unit, unitProperties);
  // A unit of Type=notify also has a job while it starts, but then its journal can show what delays the start.
  if (/^[1-9]/.test(shown.Job) && shown.ActiveState !== 'activating') {
    return waiting('ServiceStarting', `systemd is at work on ${unit}`, { after: 1_000 });
  }
  switch (shown.ActiveState) {
    case 'active':
    case 'reloading': {
      const start = await lookAtStart(host, subject, shown);
      return startOutdated(unit, start) ?? inSync({ message: ['K3s runs', ...start.remarks].join('; ') });
    }
    case 'activating': {
      return (
        startOutdated(unit, await lookAtStart(host, subject, shown)) ??
        serviceStarting(host, node, unit, shown)
      );
    }
    case 'deactivating':
      return waiting('ServiceStarting', `${unit} is stopping`, { after: 2_000 });
    default: {
      const observed = shown.ActiveState || 'unknown';
      return drifted([{ field: unit, observed, desired: 'active' }], systemctl('start', '--no-block', unit));
    }
  }
}

/**
 * Returns a drift that `command` corrects. `blocks` is false while K3s runs, so that Slipway still checks the node if
 * K3s cannot be restarted.
 */
function drifted(changes: readonly Change[], command: Command, blocks = true): Finding {
  const remedy = async (host: Host) => void (await host.run(command));
  return { state: 'Drifted', drift: { changes, summary: commandLine(command), blocks, remedy } };
}

/** The result of comparing a start of K3s with the current inputs. */
interface Start {
  readonly isStarting: boolean;
  /** The names of the changed inputs for which K3s is restarted. */
  readonly changed: readonly string[];
  readonly remarks: readonly string[];
}

/** Compares the stamp of this start with the current inputs. If this start has no stamp, no input counts as changed. */
async function lookAtStart(
  host: HostReader,
  { node, sources: { inputs, judge } }: Subject,
  { InvocationID, ActiveState }: Shown,
): Promise<Start> {
  const isStarting = ActiveState === 'activating';
  const stamp = await readStamp(host, node.paths, InvocationID);
  const changed = stamp ? await changedInputs(host, node, stamp, inputs) : [];
  const { spared, remarks } = await judge(host, node, { notes: stamp?.notes, changed });
  const unused = isStarting ? [] : inputs.filter((each) => each.onlyWhileStarting).map(({ name }) => name);
  const counting = changed.filter((name) => ![...spared, ...unused].includes(name));
  return { isStarting, changed: counting, remarks };
}

/** Returns the drift of a start whose inputs have changed; `undefined` if no input has changed. */
function startOutdated(unit: string, { isStarting, changed }: Start): Finding | undefined {
  if (changed.length === 0) {
    return undefined;
  }
  return drifted(
    changed.map((field) => ({ field, observed: 'changed since K3s started', desired: asStarted })),
    systemctl('restart', '--no-block', unit),
    isStarting,
  );
}
