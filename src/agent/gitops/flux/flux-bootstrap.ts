import type { Host } from '../../engine/host.ts';
import { underway } from '../../engine/jobs.ts';
import { compare, type Drift, type Finding, inSync, type Resource } from '../../engine/resource.ts';
import type { GitOpsContext } from '../gitops.ts';
import { refuseDifference } from './flux-difference.ts';
import { refuseOldKubernetes } from './flux-kubernetes.ts';
import { type FluxObjects, fluxObjects } from './flux-objects.ts';
import { syncPath } from './flux-path.ts';
import { fluxExecutableId } from './flux-release.ts';
import { repositoryName } from './flux-repository.ts';
import { bootstrapJob, type FluxSpec, runBootstrap } from './flux-run.ts';
import type { FluxSettings } from './settings.ts';

export const fluxBootstrapId = 'Bootstrap/flux-system';

/**
 * Returns the Resource that bootstraps Flux. It is in sync once the Kustomization exists, whatever its state, because
 * `flux bootstrap` applies the Kustomization last and Flux's controllers do the rest. A second bootstrap would write to
 * the repository and reinstall the controllers, so only a commit or a person repairs an existing Flux.
 *
 * The check relies only on the API, because `flux bootstrap` fails (`BootstrapFailed`) even if only its last health
 * check fails. The bootstrap runs as a job. Once the Kustomization exists, the job no longer blocks the check of the
 * sync, which reports the cause of a failure earlier than flux does. The check throws `KubernetesTooOld` before a
 * bootstrap, and `BootstrapPathDiffers` or `BootstrapSourceDiffers` if Flux follows a path, repository or branch other
 * than those in the settings.
 */
export function fluxBootstrap(spec: FluxSpec, context: GitOpsContext): Resource {
  const { settings } = spec;
  const { subject } = bootstrapJob(spec, context);
  const remedy = (host: Host) => runBootstrap(host, spec, context);
  return {
    id: fluxBootstrapId,
    summary: `bootstrap Flux from ${repositoryName(settings)}, branch ${settings.branch}, path ${syncPath(settings.path)}`,
    condition: 'GitOps',
    needs: [fluxExecutableId, ...context.needs],
    async check(host) {
      const objects = await fluxObjects(host, context);
      const running = await host.job(context.bootstrapTrace);
      if (running?.subject === subject) {
        return underway(running, objects.sync === undefined);
      }
      if (objects.sync === undefined) {
        await refuseOldKubernetes(host, context, settings);
        return compare({ bootstrapped: false }, { bootstrapped: true }, remedy);
      }
      return (await host.stat(context.scratch)) === undefined
        ? judgeBootstrapped(objects, settings)
        : concluded(context.scratch, remedy);
    },
  };
}

/** Returns the drift of a bootstrap whose job has ended, and whose result and temporary files are still there. */
function concluded(scratch: string, remedy: Drift['remedy']): Finding {
  const changes = [{ field: 'temporary files', observed: scratch, desired: undefined }];
  return { state: 'Drifted', drift: { changes, blocks: false, remedy } };
}

function judgeBootstrapped(objects: FluxObjects, settings: FluxSettings): Finding {
  refuseDifference(objects, settings);
  const revision = objects.sync?.status?.lastAppliedRevision;
  const applied = revision ? `, applied ${revision}` : '';
  return inSync({ message: `bootstrapped at ${syncPath(settings.path)}${applied}` });
}
