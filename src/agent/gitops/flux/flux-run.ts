import { join } from 'node:path';
import { failedOutput } from '../../engine/command-output.ts';
import { sha256 } from '../../engine/digest.ts';
import { NodeError } from '../../engine/errors.ts';
import type { Host, Job } from '../../engine/host.ts';
import type { GitOpsGround } from '../engine.ts';
import type { GitOpsContext } from '../gitops.ts';
import { bootstrapArguments } from './flux-arguments.ts';
import { fluxObjects } from './flux-objects.ts';
import { fluxPath } from './flux-release.ts';
import { causeIn } from './flux-words.ts';
import { fluxProviders } from './providers.ts';
import type { FluxSettings } from './settings.ts';

const minute = 60_000;
/**
 * A failed attempt of at least this length makes the condition False at once, because flux itself has already retried.
 */
const patience = 5 * minute;

/**
 * The inputs of Flux's adapter: the settings, including a provider, and the cloud whose vault contains the Git token.
 */
export type FluxSpec = GitOpsGround<FluxSettings>;

/** Returns the job that bootstraps Flux with these settings. */
export function bootstrapJob({ settings, caFile }: FluxSpec, context: GitOpsContext): Job {
  const args = bootstrapArguments(settings, context.kubeconfig, caFile);
  const subject = sha256(JSON.stringify([args, settings.tokenSecretName]));
  return { trace: context.bootstrapTrace, what: 'bootstrap Flux', subject };
}

/**
 * Runs `flux bootstrap` as a job, and removes its temporary files once the job has ended. Throws `BootstrapFailed` with
 * flux's own message; after a long attempt, this error makes the condition False at once. Does not run flux if the
 * cluster has been bootstrapped since the last check.
 */
export async function runBootstrap(host: Host, spec: FluxSpec, context: GitOpsContext): Promise<void> {
  try {
    await host.perform(bootstrapJob(spec, context), (signal) => bootstrap(host, spec, context, signal));
  } catch (thrown) {
    if (thrown instanceof NodeError) {
      await host.remove(context.scratch);
    }
    throw thrown;
  }
  await host.remove(context.scratch);
}

async function bootstrap(
  host: Host,
  spec: FluxSpec,
  context: GitOpsContext,
  signal: AbortSignal,
): Promise<string> {
  if ((await fluxObjects(host, context)).sync !== undefined) {
    return 'bootstrapped';
  }
  const { settings, cloud, caFile } = spec;
  const secret = settings.tokenSecretName;
  const token = await host.obtain(`the Git token from the secret ${secret}`, () => cloud.secret(secret));
  await makeScratch(host, context);
  const start = host.monotonic();
  const command = {
    file: fluxPath(context.binDir),
    args: bootstrapArguments(settings, context.kubeconfig, caFile),
    env: {
      HOME: context.home,
      TMPDIR: context.scratch,
      [fluxProviders[settings.provider].variable]: token,
    },
    timeout: settings.timeout + minute,
  };
  await host.run(command, signal).catch((thrown) => {
    throw failure(thrown, settings, host.monotonic() - start);
  });
  return 'bootstrapped';
}

/** Creates the folder for flux's clones. First removes the clones that a killed attempt has left. */
async function makeScratch(host: Host, { scratch }: GitOpsContext): Promise<void> {
  await host.remove(scratch);
  const note = 'Temporary files of flux bootstrap. Slipway removes this folder.\n';
  await host.writeFile(join(scratch, 'README'), note, { mode: 0o600 });
}

function failure(thrown: unknown, settings: FluxSettings, duration: number): unknown {
  if (!(thrown instanceof NodeError) || !['CommandFailed', 'CommandTimedOut'].includes(thrown.reason)) {
    return thrown;
  }
  const { provider, tokenSecretName } = settings;
  const limit = thrown.reason === 'CommandTimedOut' ? ` within ${settings.timeout / 1_000} s` : '';
  return new NodeError(
    'BootstrapFailed',
    `flux bootstrap ${provider} did not finish${limit}: ${causeIn(failedOutput(thrown) || thrown.message)}. ` +
      'It is tried again unless Flux comes up by itself; if access is refused, put a token that may write to the ' +
      `repository into the secret ${tokenSecretName}.`,
    { cause: thrown, endedBy: duration >= patience ? 'person' : 'time' },
  );
}
