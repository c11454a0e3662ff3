import { join } from 'node:path';
import type { Cloud } from '../cloud/cloud.ts';
import type { Host } from '../core/host.ts';
import type { Resource } from '../core/resource.ts';
import { Secret } from '../core/secret.ts';
import type { NodePaths } from '../paths.ts';
import { credential } from '../resources/credential.ts';
import { fetchToken, isRedacted, verified } from './join-token.ts';
import type { K3sNode } from './node.ts';
import { parseToken } from './token.ts';

/**
 * The token a server lets agents join with where joinToken.agentSecretName names one, so that agents need not have the
 * server's. It can be changed at any time, unlike that one: it is fetched anew every joinToken.verifyEvery.
 */
export function agentToken(node: K3sNode, cloud: Cloud, needs: readonly string[]): readonly Resource[] {
  const { agentSecretName, attempts, interval, verifyEvery } = node.settings.joinToken;
  if (node.role.k3s !== 'server' || agentSecretName === undefined) return [];
  const path = agentTokenPath(node.paths);
  return [
    credential({
      id: 'Credential/agent-token',
      path,
      summary: `fetch the token of the agents to ${path}`,
      condition: 'JoinToken',
      needs,
      pacing: { attempts, every: interval },
      isCurrent: (found, now) => verified(found, now, verifyEvery),
      render: (host) => render(host, cloud, agentSecretName),
    }),
  ];
}

export function agentTokenPath({ slipway }: NodePaths): string {
  return join(slipway.state, 'agent-token');
}

/** A server takes the whole text for the password, so only that part of a full token is written. */
async function render(host: Host, cloud: Cloud, name: string): Promise<Secret> {
  const fetched = await fetchToken(host, cloud, name);
  const credential = isRedacted(fetched) ? undefined : parseToken(fetched.reveal())?.credential;
  return credential === undefined ? fetched : new Secret(`${credential}\n`, `${fetched}`);
}
