/** Every reason and every condition of a node, collected from their owners, in the order in which pages list them. */
import { azureReasons } from './clouds/azure/reasons.ts';
import { identityReasons, loginReasons, secretReasons } from './clouds/reasons.ts';
import { engineReasons } from './engine/own-reasons.ts';
import { fluxReasons } from './gitops/flux/reasons.ts';
import { downloadReasons, httpReasons, lockReasons, systemReasons } from './host/reasons.ts';
import { clusterReasons, k3sReasons, serverReasons, tokenReasons } from './parts/k3s/reasons.ts';
import { machineReasons } from './parts/machine/reasons.ts';
import { networkReasons } from './parts/network/reasons.ts';
import { registryReasons } from './parts/registry/reasons.ts';
import { nodeReasons, roleReasons } from './reasons.ts';
import { settingsReasons } from './settings/reasons.ts';

/** What each reason means. Errors and conditions share them; docs/usage/conditions.md is generated from this table. */
export const reasons = {
  ...engineReasons,
  ...settingsReasons,
  ...lockReasons,
  ...systemReasons,
  ...machineReasons,
  ...networkReasons,
  ...httpReasons,
  ...identityReasons,
  ...roleReasons,
  ...clusterReasons,
  ...nodeReasons,
  ...serverReasons,
  ...azureReasons,
  ...secretReasons,
  ...loginReasons,
  ...registryReasons,
  ...tokenReasons,
  ...downloadReasons,
  ...k3sReasons,
  ...fluxReasons,
} as const;

/** The conditions of a node, in the order in which a first boot makes them true. */
export const conditionTypes = [
  'Settings',
  'Identity',
  'Role',
  'Preflight',
  'ImdsGuard',
  'System',
  'K3sBinary',
  'JoinToken',
  'K3sConfig',
  'Registries',
  'CredentialProvider',
  'ServerReachable',
  'K3sRunning',
  'NodeReady',
  'Pulls',
  'GitOps',
] as const;

type OwnedReasons = typeof reasons;
type ListedConditions = Readonly<Record<(typeof conditionTypes)[number], true>>;

declare module './engine/reasons.ts' {
  interface Reasons extends OwnedReasons {}
}

declare module './engine/resource.ts' {
  interface Conditions extends ListedConditions {}
}
