/** The secrets of an emulated cluster. Each is a random canary, so that a test can search for it and find leaks. */
import { createHash, randomBytes } from 'node:crypto';
import type { Azure } from './azure/index.ts';

export type ClusterSecrets = Readonly<
  Record<'joinToken' | 'agentToken' | 'gitToken' | 'cloudflareToken' | 'registryToken', string>
>;

export function newSecrets(): ClusterSecrets {
  return {
    joinToken: canary('join'),
    agentToken: canary('agent'),
    gitToken: canary('git'),
    cloudflareToken: canary('cloudflare'),
    registryToken: canary('registry'),
  };
}

function canary(kind: string): string {
  return `canary-${kind}-${randomBytes(24).toString('hex')}`;
}

/**
 * Stores every secret except the registry token in the vault, and lets each node read them and pull from the registry.
 */
export function prepareCloud(azure: Azure, nodes: readonly string[], secrets: ClusterSecrets): void {
  azure.vault().set('k3s-token', secrets.joinToken);
  azure.vault().set('k3s-agent-token', secrets.agentToken);
  azure.vault().set('flux-git-token', secrets.gitToken);
  azure.vault().set('cloudflare-token', secrets.cloudflareToken);
  for (const node of nodes) {
    azure.setRole(node, 'Key Vault Secrets User', azure.vault().host);
    azure.setRole(node, 'AcrPull', azure.registry().loginServer);
  }
}

export interface HasFiles {
  write(path: string, content: string): void;
}

/**
 * Stores the digest of the Git token in a file on the server node. The stand-ins for Flux and Argo CD accept only the
 * token with this digest.
 */
export function gitHostKnows({ gitToken }: Pick<ClusterSecrets, 'gitToken'>, server: HasFiles): void {
  const digest = createHash('sha256').update(gitToken).digest('hex');
  server.write('/var/lib/rancher/k3s/server/db/git-token.sha256', digest);
}
