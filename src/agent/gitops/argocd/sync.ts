import { NodeError } from '../../engine/errors.ts';
import type { Reason } from '../../engine/reasons.ts';
import { type Finding, inSync, type Resource, waiting } from '../../engine/resource.ts';
import { readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import type { GitOpsContext } from '../gitops.ts';
import { quote } from '../quote.ts';
import {
  type Application,
  type ApplicationStatus,
  argocdNamespace,
  readRoot,
  rootName,
} from './application.ts';
import { rootId } from './bootstrap.ts';
import { isSameSource } from './source-difference.ts';

const whileSyncing = 15_000;
const whileSynced = 5 * 60_000;
const name = `Application ${argocdNamespace}/${rootName}`;

/**
 * Returns the Resource that checks whether Argo CD has synced the root Application and whether its objects are healthy.
 * The check throws `ApplicationNotSynced` or `ApplicationNotHealthy` with Argo CD's own message. It waits while the
 * Application is missing, is being deleted, compared, synced or rolled out, or differs from the repository while its
 * automatic sync is off. Only a commit or a person can correct these failures, so Slipway changes nothing, and no
 * Resource depends on this check.
 */
export function rootSync(context: GitOpsContext): Resource {
  return {
    id: `Sync/${rootName}`,
    summary: 'check that Argo CD applies the repository',
    condition: 'GitOps',
    needs: [rootId],
    async check(host) {
      const access = await readKubeconfig(host, context.kubeconfig);
      const found = await readRoot(host, access);
      return found === undefined
        ? pending('ApplicationNotSynced', `${name} does not exist.`, whileSyncing)
        : judgeSync(found, host.now());
    },
  };
}

function judgeSync(found: Application, now: number): Finding {
  const { metadata, spec } = found;
  if (metadata.deletionTimestamp) {
    const message = `${name} is being deleted; with a finalizer, Argo CD first deletes all that it applied.`;
    return pending('ApplicationNotSynced', message, whileSyncing);
  }
  const status = found.status ?? {};
  const comparedTo = status.sync?.comparedTo?.source;
  if (comparedTo && !isSameSource(comparedTo, spec?.source)) {
    return pending('ApplicationNotSynced', `${name} has changed, and is being compared.`, whileSyncing);
  }
  refuseErrors(status);
  const isSuspended = !spec?.syncPolicy?.automated || spec.syncPolicy.automated.enabled === false;
  return (
    notSynced(status, isSuspended) ??
    notHealthy(status) ??
    inSync({
      message: `synced ${status.sync?.revision ?? ''}${warningsIn(status)}`,
      until: now + whileSynced,
    })
  );
}

/**
 * Throws `ApplicationNotSynced` if the Application has an error condition, for example because the Git host refuses the
 * credentials.
 */
function refuseErrors({ conditions }: ApplicationStatus): void {
  const errors = (conditions ?? []).filter(({ type }) => type.endsWith('Error'));
  if (errors.length > 0) {
    throw failed('ApplicationNotSynced', errors.map(({ type, message }) => `${type}: ${message}`).join('; '));
  }
}

function notSynced({ sync, operationState }: ApplicationStatus, isSuspended: boolean): Finding | undefined {
  if (sync?.status === 'Synced') {
    return undefined;
  }
  const { phase, message } = operationState ?? {};
  if (phase === 'Failed' || phase === 'Error') {
    throw failed('ApplicationNotSynced', `the last sync failed: ${message}`);
  }
  if (phase === 'Running') {
    return pending('ApplicationNotSynced', `${name} is being synced: ${quote(message)}`, whileSyncing);
  }
  if (sync?.status === 'OutOfSync' && isSuspended) {
    const repair = `kubectl --namespace ${argocdNamespace} edit application ${rootName}`;
    return pending(
      'ApplicationNotSynced',
      `${name} differs from the repository, and its automatic sync is off; to turn on spec.syncPolicy.automated: ${repair}.`,
      whileSynced,
    );
  }
  return pending('ApplicationNotSynced', `${name} is ${sync?.status ?? 'not compared yet'}.`, whileSyncing);
}

function notHealthy({ health, resources }: ApplicationStatus): Finding | undefined {
  const { status, message } = health ?? {};
  if (status === 'Healthy') {
    return undefined;
  }
  if (status !== 'Degraded' && status !== 'Missing') {
    const said = message ? `: ${quote(message)}` : '';
    return pending(
      'ApplicationNotHealthy',
      `${name} is synced and ${status ?? 'not judged yet'}${said}`,
      whileSyncing,
    );
  }
  const worst = (resources ?? []).filter((each) => each.health?.status === status);
  const named = worst.map(
    (each) => `${each.kind} ${each.namespace ?? ''}/${each.name} ${each.health?.message ?? ''}`,
  );
  throw failed('ApplicationNotHealthy', [status, message, ...named].filter(Boolean).join(': '));
}

function warningsIn({ conditions }: ApplicationStatus): string {
  const told = (conditions ?? []).map(({ type, message }) => `${type}: ${message}`).join('; ');
  return told === '' ? '' : `; ${quote(told)}`;
}

function failed(reason: Reason, said: string): NodeError {
  return new NodeError(reason, `${name}: ${quote(said)}`, { blocks: false });
}

function pending(reason: Reason, message: string, after: number): Finding {
  return waiting(reason, message, { after, blocks: false });
}
