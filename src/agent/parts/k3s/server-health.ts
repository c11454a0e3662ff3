import type { HostReader } from '../../engine/host.ts';
import { readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import type { K3sNode } from '../../node.ts';

/**
 * Returns what the supervisor or the API of this server lacks to be healthy; `undefined` if both are healthy. The API
 * lists its checks with `?verbose`: `[+]ping ok`, and `[-]` before a failed one (kubernetes.io, "Kubernetes API health
 * endpoints"). Throws `ApiUnavailable` without a kubeconfig, and the errors of requests.
 */
export async function serverHealth(host: HostReader, { paths }: K3sNode): Promise<string | undefined> {
  const { server, trust } = await readKubeconfig(host, paths.k3s.kubeconfig);
  const ping = await host.get({ url: `${server}/ping`, trust });
  if (ping.status !== 200 || ping.body.trim() !== 'pong') {
    return `the supervisor answers ${ping.status} to /ping`;
  }
  const ready = await host.get({ url: `${server}/readyz?verbose`, trust });
  const failed = ready.body.split('\n').filter((line) => line.startsWith('[-]'));
  return ready.status === 200 && failed.length === 0
    ? undefined
    : `the API is not ready: ${failed.join(', ') || `it answers ${ready.status}`}`;
}
