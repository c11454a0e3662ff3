import { NodeError } from '../engine/errors.ts';
import type { Command, CommandResult, HostReader } from '../engine/host.ts';

export interface Kubectl {
  /** The executable of K3s, which is also kubectl. */
  readonly k3s: string;
  readonly kubeconfig: string;
}

/**
 * The time limit of a whole command in milliseconds. `--request-timeout` limits each request separately, and kubectl
 * tries discovery alone five times.
 */
const timeout = 12_000;

/** Returns a kubectl command that is limited in time and keeps no cache, so that a check writes no files. */
export function kubectl({ k3s, kubeconfig }: Kubectl, ...args: readonly string[]): Command {
  const options = ['--kubeconfig', kubeconfig, '--request-timeout=10s', '--cache-dir=/dev/null'];
  return { file: k3s, args: ['kubectl', ...options, ...args], timeout };
}

/**
 * Runs a kubectl command that only reads. Throws `ApiUnavailable` if no answer arrives in time, such as when a firewall
 * drops the packets.
 */
export async function askApi(host: HostReader, command: Command): Promise<CommandResult> {
  try {
    return await host.query(command);
  } catch (thrown) {
    if (!(thrown instanceof NodeError) || thrown.reason !== 'CommandTimedOut') {
      throw thrown;
    }
    throw new NodeError(
      'ApiUnavailable',
      `The Kubernetes API does not answer this node within ${timeout / 1_000} s. Check the network between this node and its server.`,
      { cause: thrown },
    );
  }
}
