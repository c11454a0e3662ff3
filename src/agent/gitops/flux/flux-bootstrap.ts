import { NodeError } from '../../engine/errors.ts';
import type { Host } from '../../engine/host.ts';
import { compare, type Finding, inSync, type Resource } from '../../engine/resource.ts';
import type { GitOpsGround } from '../engine.ts';
import type { GitOpsContext } from '../gitops.ts';
import { bootstrapArguments, tokenVariables } from './flux-arguments.ts';
import { refuseDifference } from './flux-difference.ts';
import { type FluxObjects, fluxObjects } from './flux-objects.ts';
import { syncPath } from './flux-path.ts';
import { fluxExecutableId, fluxPath } from './flux-release.ts';
import { repositoryName } from './flux-repository.ts';
import type { FluxSettings } from './settings.ts';

export const fluxBootstrapId = 'Bootstrap/flux-system';

const minute = 60_000;

/** The settings of Flux in use, including a provider, and the cloud whose vault contains the Git token. */
type FluxSpec = GitOpsGround<FluxSettings>;

/**
 * Returns the Resource that bootstraps Flux. It is in sync if the Kustomization exists, in whatever state, since flux
 * applies it last, and Flux does the rest by itself. A second bootstrap would write to the repository and reinstall the
 * controllers, so only a commit or a person repairs a Flux that exists.
 *
 * Judges only by the API: `flux bootstrap` also exits with an error if just its last health check fails
 * (`BootstrapFailed`). The check throws `BootstrapPathDiffers` or `BootstrapSourceDiffers` if Flux follows something
 * else than the settings name.
 */
export function fluxBootstrap(spec: FluxSpec, context: GitOpsContext): Resource {
  const { settings } = spec;
  return {
    id: fluxBootstrapId,
    summary: `bootstrap Flux from ${repositoryName(settings)}, branch ${settings.branch}, path ${syncPath(settings.path)}`,
    condition: 'GitOps',
    needs: [fluxExecutableId, ...context.needs],
    async check(host) {
      const objects = await fluxObjects(host, context);
      return judgeBootstrap(objects, settings, (host) => runBootstrap(host, spec, context));
    },
  };
}

function judgeBootstrap(objects: FluxObjects, settings: FluxSettings, remedy: Remedy): Finding {
  const { sync } = objects;
  if (sync === undefined) {
    return compare({ bootstrapped: false }, { bootstrapped: true }, remedy);
  }
  refuseDifference(objects, settings);
  const revision = sync.status?.lastAppliedRevision;
  const applied = revision ? `, applied ${revision}` : '';
  return inSync({ message: `bootstrapped at ${syncPath(settings.path)}${applied}` });
}

type Remedy = (host: Host) => Promise<void>;

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
