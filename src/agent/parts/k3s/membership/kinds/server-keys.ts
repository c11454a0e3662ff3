import type { K3sNode } from '../../../../node.ts';
import { agentTokenPath } from '../token-paths.ts';
import type { K3sConfig, MembershipKind, WrittenState } from './kind.ts';

/** The fields that all kinds of servers have in common. */
export const ofServers = {
  proof: ({ k3s }) => k3s.serverToken,
  tokenSecret: ({ joinToken }) => joinToken.secretName,
} as const satisfies Pick<MembershipKind, 'proof' | 'tokenSecret'>;

/** Returns the keys of config.yaml that every server has. */
export function serverKeys({ paths, settings }: K3sNode, { hasAgentToken }: WrittenState): K3sConfig {
  const agentToken = hasAgentToken && settings.joinToken.agentSecretName !== undefined;
  return {
    'write-kubeconfig-mode': '0600',
    ...(agentToken && { 'agent-token-file': agentTokenPath(paths) }),
  };
}
