import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import type { Reason } from '../../engine/reasons.ts';
import { type Finding, inSync, type Resource, waiting } from '../../engine/resource.ts';
import type { GitOpsContext } from '../gitops.ts';
import { quote } from '../quote.ts';
import { fluxBootstrapId } from './flux-bootstrap.ts';
import { unavailableControllers } from './flux-controllers.ts';
import {
  type FluxCondition,
  type FluxObject,
  type FluxObjects,
  fluxObjects,
  fluxSystem,
} from './flux-objects.ts';

const whileReconciling = 15_000;
const whileReady = 5 * 60_000;
const restore =
  'To restore it, apply flux-system/gotk-sync.yaml from the folder of this cluster in the repository.';

/**
 * Returns the Resource that checks whether Flux fetches and applies the repository. The check throws `SourceNotReady`
 * or `KustomizationNotReady` with Flux's own message. It waits while an object is missing, suspended or being
 * reconciled; if one of Flux's controllers is unavailable meanwhile, the finding is `ControllerNotReady` and names the
 * controller. Only a person can correct these failures, so Slipway changes nothing, and no Resource depends on this
 * check.
 */
export function fluxSync(context: GitOpsContext): Resource {
  return {
    id: 'Sync/flux-system',
    summary: 'check that Flux applies the repository',
    condition: 'GitOps',
    needs: [fluxBootstrapId],
    async check(host) {
      const finding = judgeSync(await fluxObjects(host, context), host.now());
      return finding.state === 'Waiting' ? withController(finding, host, context) : finding;
    },
  };
}

/** Returns the finding; if some of Flux's controllers are unavailable, returns a finding that names them instead. */
async function withController(finding: Finding, host: HostReader, context: GitOpsContext): Promise<Finding> {
  const names = await unavailableControllers(host, context);
  if (names.length === 0) {
    return finding;
  }
  const [are, pods] = [names.length === 1 ? 'is' : 'are', `kubectl --namespace ${fluxSystem} describe pods`];
  return pending(
    'ControllerNotReady',
    `${names.join(', ')} ${are} not ready, so Flux does not apply the repository. If it lasts, ${pods} names the cause.`,
    whileReconciling,
  );
}

function judgeSync({ source, sync }: FluxObjects, now: number): Finding {
  return (
    notReady('SourceNotReady', 'GitRepository', source) ??
    notReady('KustomizationNotReady', 'Kustomization', sync) ??
    inSync({ message: `applied ${sync?.status?.lastAppliedRevision}`, until: now + whileReady })
  );
}

/**
 * Returns `undefined` if the object is ready, and a waiting finding while it is missing, suspended or being reconciled.
 * Throws `reason` if the object failed. A Ready condition about an older generation counts as being reconciled.
 */
function notReady(reason: Reason, kind: string, object: FluxObject | undefined): Finding | undefined {
  const name = `${kind} ${fluxSystem}/${fluxSystem}`;
  if (object === undefined) {
    return pending(reason, `${name} does not exist. ${restore}`, whileReconciling);
  }
  if (object.spec?.suspend) {
    return pending(reason, `${name} is suspended; flux resume continues.`, whileReady);
  }
  const ready = object.status?.conditions?.find(({ type }) => type === 'Ready');
  const said = quote(ready?.message);
  if (!ready || ready.status === 'Unknown' || isStale(object, ready)) {
    return pending(reason, `${name} is being reconciled: ${said}`, whileReconciling);
  }
  if (ready.status === 'True') {
    return undefined;
  }
  throw new NodeError(reason, `${name} is not Ready: ${said}`, { blocks: false });
}

function pending(reason: Reason, message: string, after: number): Finding {
  return waiting(reason, message, { after, blocks: false });
}

/**
 * True if the Ready condition is about an older generation of the object. The generation in the status changes only on
 * success, and is -1 at first, so it is used only if the condition has no generation of its own.
 */
function isStale({ metadata, status }: FluxObject, ready: FluxCondition): boolean {
  const observed = ready.observedGeneration ?? status?.observedGeneration;
  return observed != null && observed !== metadata?.generation;
}
