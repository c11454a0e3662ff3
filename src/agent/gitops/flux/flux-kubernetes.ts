import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { forPerson } from '../../engine/severity.ts';
import type { GitOpsContext } from '../gitops.ts';
import type { FluxSettings } from './settings.ts';

/**
 * The oldest minor release of Kubernetes 1 that each minor release of Flux 2 supports, in ascending order. A missing
 * release of Flux has the value of the release before it (fluxcd/flux2 cmd/flux/check.go at each tag).
 */
const oldest = [
  { flux: 2, kubernetes: 26 },
  { flux: 3, kubernetes: 28 },
  { flux: 5, kubernetes: 30 },
  { flux: 6, kubernetes: 31 },
  { flux: 7, kubernetes: 32 },
  { flux: 8, kubernetes: 33 },
] as const;

/**
 * Throws `KubernetesTooOld` if the wanted release of Flux does not support the installed K3s. `flux bootstrap` does not
 * check this, and Flux's controllers would then fail without naming the cause. Accepts a K3s executable that reports no
 * version.
 */
export async function refuseOldKubernetes(
  host: HostReader,
  { k3s }: GitOpsContext,
  { version }: FluxSettings,
): Promise<void> {
  const { stdout } = await host.query({ file: k3s, args: ['--version'] });
  const [, installed, minor] = /^k3s version (v1\.(\d+)\.\S+)/.exec(stdout) ?? [];
  const needed = oldestKubernetes(version);
  if (installed === undefined || Number(minor) >= needed) {
    return;
  }
  throw new NodeError(
    'KubernetesTooOld',
    `Flux ${version} needs Kubernetes 1.${needed} or newer, but K3s is ${installed}. ` +
      'Set k3s.version to a newer release, or gitops.flux.version to an older one.',
    forPerson,
  );
}

function oldestKubernetes(version: string): number {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 2
    ? (oldest[oldest.length - 1]?.kubernetes ?? 0)
    : (oldest.findLast(({ flux }) => major === 2 && flux <= minor)?.kubernetes ?? 0);
}
