import { NodeError } from '../../engine/errors.ts';
import type { Host } from '../../engine/host.ts';
import { compare, type Finding, inSync, type Resource } from '../../engine/resource.ts';
import { advisory } from '../../engine/severity.ts';
import type { GitOpsGround } from '../engine.ts';
import type { GitOpsContext } from '../gitops.ts';
import { bootstrapArguments, tokenVariables } from './flux-arguments.ts';
import { type FluxObjects, fluxObjects } from './flux-objects.ts';
import { syncPath } from './flux-path.ts';
import { fluxExecutableId, fluxPath } from './flux-release.ts';
import type { FluxSettings } from './settings.ts';

export const fluxBootstrapId = 'Bootstrap/flux-system';

const minute = 60_000;

/** The settings of Flux in use, including a provider, and the cloud whose vault contains the Git token. */
type FluxSpec = GitOpsGround<FluxSettings>;

/**
 * Returns the Resource that bootstraps Flux. It is in sync if the GitRepository exists and the Kustomization has the
 * expected path and has applied a revision.
 *
 * Judges only by the API: `flux bootstrap` also exits with an error if just its last health check fails
 * (`BootstrapFailed`), and a Kustomization that becomes unready later must not cause a second bootstrap. The check
 * throws `BootstrapPathDiffers` for another path, which flux would refuse too (fluxcd/flux2 pkg/bootstrap,
 * ReconcileSyncConfig).
 */
export function fluxBootstrap(spec: FluxSpec, context: GitOpsContext): Resource {
  const { settings } = spec;
  return {
    id: fluxBootstrapId,
    summary: `bootstrap Flux from ${repository(settings)}, branch ${settings.branch}, path ${syncPath(settings.path)}`,
    condition: 'GitOps',
    needs: [fluxExecutableId, ...context.needs],
    async check(host) {
      const objects = await fluxObjects(host, context);
      return judgeBootstrap(objects, settings, (host) => runBootstrap(host, spec, context));
    },
  };
}

function repository({ provider, hostname, owner, repository, url }: FluxSettings): string {
  if (provider === 'git') {
    return url ?? 'its repository';
  }
  return [hostname ?? `${provider}.com`, owner, repository].join('/');
}

function judgeBootstrap({ source, sync }: FluxObjects, settings: FluxSettings, remedy: Remedy): Finding {
  const path = sync && syncPath(sync.spec?.path ?? undefined);
  const wanted = syncPath(settings.path);
  if (path !== undefined && path !== wanted) {
    throw pathDiffers(path, wanted);
  }

  const revision = sync?.status?.lastAppliedRevision;
  const observed = { source: Boolean(source), path, applied: Boolean(revision) };
  const finding = compare(observed, { source: true, path: wanted, applied: true }, remedy);
  return finding.state === 'Drifted'
    ? finding
    : inSync({ message: `bootstrapped at ${wanted}, applied ${revision}` });
}

type Remedy = (host: Host) => Promise<void>;

function pathDiffers(path: string, wanted: string): NodeError {
  return new NodeError(
    'BootstrapPathDiffers',
    `Flux is bootstrapped at ${path}, but gitops.flux.path says ${wanted}; nothing was changed. ` +
      `Set gitops.flux.path to ${path}, or change spec.path in gotk-sync.yaml by a commit.`,
    advisory,
  );
}

async function runBootstrap(host: Host, spec: FluxSpec, context: GitOpsContext): Promise<void> {
  const { settings, cloud } = spec;
  const secret = settings.tokenSecretName;
  const token = await host.obtain(`the Git token from the secret ${secret}`, () => cloud.secret(secret));
  try {
    await host.run({
      file: fluxPath(context.binDir),
      args: bootstrapArguments(settings, context.kubeconfig),
      env: { HOME: context.home, [tokenVariables[settings.provider]]: token },
      timeout: settings.timeout + minute,
    });
  } catch (thrown) {
    throw isCommandError(thrown) ? bootstrapFailed(thrown, settings) : thrown;
  }
}

function isCommandError(thrown: unknown): thrown is NodeError {
  return thrown instanceof NodeError && ['CommandFailed', 'CommandTimedOut'].includes(thrown.reason);
}

function bootstrapFailed(cause: NodeError, settings: FluxSettings): NodeError {
  const said = lastFailure(cause.message);
  return new NodeError(
    'BootstrapFailed',
    `flux bootstrap ${settings.provider} did not finish: ${said}. It is tried again; if access is refused, ` +
      `put a token that may write to the repository into the secret ${settings.tokenSecretName}.`,
    { cause },
  );
}

/**
 * Returns the text after flux's last failure mark, joined into one line without a final full stop; the whole message if
 * it has no mark.
 */
function lastFailure(message: string): string {
  return message
    .slice(message.lastIndexOf('✗') + 1)
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replace(/\.$/, '');
}
