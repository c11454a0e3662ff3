import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { type Finding, inSync, type Resource } from '../../engine/resource.ts';
import { advisory } from '../../engine/severity.ts';
import { clusterSecret, type SecretUse } from '../../resources/cluster-secret/cluster-secret.ts';
import { heldBack, nonBlocking, observing } from '../../resources/combinators.ts';
import type { GitOpsContext } from '../gitops.ts';
import { fluxBootstrapId } from './flux-bootstrap.ts';
import { sourceDifference } from './flux-difference.ts';
import { gitSecret } from './flux-git-secret.ts';
import { type FluxObject, fluxObjects, fluxSystem } from './flux-objects.ts';
import type { FluxSpec } from './flux-run.ts';
import type { FluxSettings } from './settings.ts';

/** The field manager of the flux CLI, which client-go names after the program. */
const fluxCli = 'flux';

/**
 * Returns the Resource that keeps the Git token in the cluster the same as in the vault once Flux is bootstrapped; an
 * empty list if Flux uses a deploy key. Flux reads the Secret at each fetch, so a renewed token needs neither a
 * bootstrap nor a restart. Takes over the keys of the Secret from the flux CLI, but from no other program
 * (`SecretOwned`).
 *
 * Writes nothing if Flux does not fetch with this Secret. Also writes nothing if Flux follows another repository
 * (`BootstrapSourceDiffers`), because that repository's host would receive the token. Blocks no other Resource.
 */
export function fluxToken(spec: FluxSpec, context: GitOpsContext): readonly Resource[] {
  const { settings, cloud, verifyEvery, caFile } = spec;
  if (!settings.tokenAuth) {
    return [];
  }
  const use: SecretUse = {
    vault: cloud,
    condition: 'GitOps',
    needs: [fluxBootstrapId],
    kubeconfig: context.kubeconfig,
    verifyEvery,
    severity: advisory,
    ifOwned: `Store its token in the secret ${settings.tokenSecretName}, or delete the Secret, which Slipway then creates again.`,
    takesOverFrom: [fluxCli],
  };
  const secret = observing(
    (ca: string | undefined) => clusterSecret(gitSecret(settings, ca), use),
    undefined,
    (host) => caIn(host, caFile),
  );
  return [nonBlocking(heldBack(secret, (host) => obstacle(host, settings, context)))];
}

/**
 * Returns the content of `network.caFile`; `undefined` if the setting is absent. Throws `InvalidSettings` if the file
 * is missing.
 */
async function caIn(host: HostReader, caFile: string | undefined): Promise<string | undefined> {
  if (caFile === undefined) {
    return undefined;
  }
  const found = await host.readFile(caFile);
  if (found === undefined) {
    throw new NodeError('InvalidSettings', `network.caFile: ${caFile} is missing; put the CAs there.`);
  }
  return found.content;
}

async function obstacle(
  host: HostReader,
  settings: FluxSettings,
  context: GitOpsContext,
): Promise<Finding | NodeError | undefined> {
  const { source } = await fluxObjects(host, context);
  return usesToken(source)
    ? sourceDifference(source, settings)
    : inSync({ message: 'Flux does not use the token' });
}

/**
 * True unless the GitRepository fetches over ssh, with a Git provider's own authentication, or with another Secret. In
 * a Secret with a deploy key, Flux would use the password as the passphrase of the key.
 */
function usesToken(source: FluxObject | undefined): boolean {
  const { url, provider, secretRef } = source?.spec ?? {};
  const isOther = secretRef?.name != null && secretRef.name !== fluxSystem;
  return !url?.startsWith('ssh:') && (provider ?? 'generic') === 'generic' && !isOther;
}
