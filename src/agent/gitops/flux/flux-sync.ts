import { NodeError } from '../../engine/errors.ts';
import type { Reason } from '../../engine/reasons.ts';
import { type Finding, inSync, type Resource, waiting } from '../../engine/resource.ts';
import type { GitOpsContext } from '../gitops.ts';
import { fluxBootstrapId } from './flux-bootstrap.ts';
import { type FluxObject, type FluxObjects, fluxObjects, fluxSystem } from './flux-objects.ts';

const whileReconciling = 15_000;
const whileReady = 5 * 60_000;
const longestQuote = 400;

/**
 * Returns the Resource that checks whether Flux fetches and applies the repository. The check throws `SourceNotReady`
 * or `KustomizationNotReady` with Flux's own message, and waits while Flux reconciles or is suspended. Only a commit
 * can correct either failure, so Slipway changes nothing, and no Resource depends on this check.
 */
export function fluxSync(context: GitOpsContext): Resource {
  return {
    id: 'Sync/flux-system',
    summary: 'check that Flux applies the repository',
    condition: 'GitOps',
    needs: [fluxBootstrapId],
    async check(host) {
      const objects = await fluxObjects(host, context);
      return judgeSync(objects, host.now());
    },
  };
}

function judgeSync({ source, sync }: FluxObjects, now: number): Finding {
  return (
    notReady('SourceNotReady', 'GitRepository', source) ??
    notReady('KustomizationNotReady', 'Kustomization', sync) ??
    inSync({ message: `applied ${sync?.status?.lastAppliedRevision}`, until: now + whileReady })
  );
}

/**
 * Returns `undefined` if the object is ready by the rules of `flux bootstrap`, which ignore a status of an older
 * generation; a waiting Finding while the object is missing, suspended or being reconciled. Throws `reason` if the
 * object failed.
 */
function notReady(reason: Reason, kind: string, object: FluxObject | undefined): Finding | undefined {
  const name = `${kind} ${fluxSystem}/${fluxSystem}`;
  if (object?.spec?.suspend) {
    return waiting(reason, `${name} is suspended; flux resume continues.`, {
      after: whileReady,
      blocks: false,
    });
  }
  const ready = object?.status?.conditions?.find(({ type }) => type === 'Ready');
  const said = quote(ready?.message);
  if (!ready || ready.status === 'Unknown' || isStale(object)) {
    return waiting(reason, `${name} is being reconciled: ${said}`, {
      after: whileReconciling,
      blocks: false,
    });
  }
  if (ready.status === 'True') {
    return undefined;
  }
  throw new NodeError(reason, `${name} is not Ready: ${said}`, { blocks: false });
}

function isStale(object: FluxObject | undefined): boolean {
  const observed = object?.status?.observedGeneration;
  return observed != null && observed !== object?.metadata?.generation;
}

function quote(message: string | null | undefined): string {
  const text = message?.replaceAll(/\s+/g, ' ').trim() || 'no message yet';
  return text.length > longestQuote ? `${text.slice(0, longestQuote)}...` : text;
}
