import type { MembershipKind } from './kind.ts';

/** A node that runs pods and joins a server. */
export const agent: MembershipKind = {
  name: 'agent',
  summary: 'an agent, which joins a server',
  needs: ['server'],
  writes: ({ server }) => (server === undefined ? {} : { server }),
  verifies: ['serverKept', 'pinnedCa', 'tokenAccepted'],
  forbids: ['cluster-init', 'datastore-endpoint'],
  proof: ({ k3s }) => k3s.agentServerCa,
  tokenSecret: ({ joinToken: { secretName, agentSecretName = secretName } }) => agentSecretName,
};
