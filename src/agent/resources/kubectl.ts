import type { Command } from '../core/host.ts';

export interface Kubectl {
  /** K3s's executable, which is kubectl too. */
  readonly k3s: string;
  readonly kubeconfig: string;
}

/** A kubectl command that is bounded in time and keeps no cache, so that looking leaves nothing behind. */
export function kubectl({ k3s, kubeconfig }: Kubectl, ...args: readonly string[]): Command {
  const options = ['--kubeconfig', kubeconfig, '--request-timeout=10s', '--cache-dir=/dev/null'];
  return { file: k3s, args: ['kubectl', ...options, ...args] };
}
