/**
 * Every reason, collected from the modules that define the reasons, and every condition of a node. Pages list both in
 * this order.
 */
import { azureReasons } from './clouds/azure/reasons.ts';
import { oracleReasons } from './clouds/oracle/reasons.ts';
import { identityReasons, loginReasons, secretReasons, vaultReasons } from './clouds/reasons.ts';
import { engineReasons } from './engine/own-reasons.ts';
import { argocdReasons } from './gitops/argocd/reasons.ts';
import { fluxReasons } from './gitops/flux/reasons.ts';
import { gitOpsReasons } from './gitops/reasons.ts';
import { downloadReasons, httpReasons, lockReasons, systemReasons } from './host/reasons.ts';
import { kubernetesReasons } from './kubernetes/reasons.ts';
import { backupReasons } from './parts/backup/reasons.ts';
import {
  certificateReasons,
  clusterReasons,
  datastoreReasons,
  firewallReasons,
  k3sReasons,
  serverReasons,
  tokenReasons,
} from './parts/k3s/reasons.ts';
import { machineReasons } from './parts/machine/reasons.ts';
import { maintenanceReasons } from './parts/maintenance/reasons.ts';
import { networkReasons } from './parts/network/reasons.ts';
import { registryReasons } from './parts/registry/reasons.ts';
import { workloadReasons } from './parts/workloads/reasons.ts';
import { nodeReasons, roleReasons } from './reasons.ts';
import { clusterSecretReasons } from './resources/cluster-secret/reasons.ts';
import { chartReasons } from './resources/helm-chart/reasons.ts';
import { settingsReasons } from './settings/reasons.ts';
import { storeReasons } from './stores/reasons.ts';

/**
 * The meaning of each reason; errors and conditions share the reasons. docs/usage/conditions.md is generated from this
 * table.
 */
export const reasons = {
  ...engineReasons,
  ...settingsReasons,
  ...lockReasons,
  ...systemReasons,
  ...machineReasons,
  ...networkReasons,
  ...firewallReasons,
  ...httpReasons,
  ...identityReasons,
  ...roleReasons,
  ...clusterReasons,
  ...nodeReasons,
  ...serverReasons,
  ...azureReasons,
  ...oracleReasons,
  ...vaultReasons,
  ...secretReasons,
  ...loginReasons,
  ...registryReasons,
  ...tokenReasons,
  ...downloadReasons,
  ...storeReasons,
  ...k3sReasons,
  ...datastoreReasons,
  ...maintenanceReasons,
  ...certificateReasons,
  ...backupReasons,
  ...kubernetesReasons,
  ...clusterSecretReasons,
  ...workloadReasons,
  ...chartReasons,
  ...gitOpsReasons,
  ...fluxReasons,
  ...argocdReasons,
} as const;

/**
 * The meaning of each condition of a node, in the order of a first boot. Pages list the conditions in the same order.
 */
export const conditions = [
  { type: 'Settings', trueWhen: 'the settings are readable and consistent' },
  { type: 'Nat', trueWhen: 'with network.nat: private hosts can connect to the internet through this node' },
  {
    type: 'Identity',
    trueWhen: 'the name and the address of this VM are known and valid',
  },
  { type: 'Role', trueWhen: 'the role is known, and the node was installed with it' },
  {
    type: 'Preflight',
    trueWhen: 'the VM meets the requirements of its role, and only root can change the files that root runs',
  },
  {
    type: 'ImdsGuard',
    trueWhen: 'pods cannot reach the instance metadata service, except for those that the settings allow',
  },
  { type: 'System', trueWhen: 'the kernel modules are loaded and the kernel settings are in force' },
  {
    type: 'K3sBinary',
    trueWhen: 'the wanted version of K3s is installed, with the links to it (kubectl, crictl, ctr)',
  },
  {
    type: 'JoinToken',
    trueWhen: 'the join token is on the disk; on a server, it also matches the token in the vault',
  },
  { type: 'K3sConfig', trueWhen: "K3s's configuration file matches the settings" },
  { type: 'Registries', trueWhen: 'the registry credentials are fresh' },
  {
    type: 'CredentialProvider',
    trueWhen: 'kubelet gets a fresh registry credential from Slipway for each pull',
  },
  { type: 'ServerReachable', trueWhen: 'on an agent: the server answers and accepts the token' },
  { type: 'K3sRunning', trueWhen: "K3s's unit is installed, and K3s runs with the current files" },
  {
    type: 'NodeReady',
    trueWhen: 'the Kubernetes API reports that this node is Ready, and the node has its taints',
  },
  {
    type: 'Maintenance',
    trueWhen:
      'the node is not held, no restart of K3s waits for a window or for its turn, and the cloud has announced no interruption of the VM',
  },
  {
    type: 'Acting',
    trueWhen:
      'on one of several servers: it is known which of them acts for the cluster (GitOps, Secrets, charts, backups)',
  },
  {
    type: 'Turns',
    trueWhen:
      'on a server: no node of the cluster has failed in its turn, or has been in it for more than an hour, and all agents are Ready',
  },
  {
    type: 'Certificates',
    trueWhen: 'the certificates of K3s are valid, and Slipway or K3s renews them in time',
  },
  {
    type: 'Backup',
    trueWhen: 'on a server, if `backup.to` names a store: the last backup of the datastore was read back',
  },
  { type: 'Pulls', trueWhen: 'a pull with the newest credential of each login server succeeded' },
  {
    type: 'Secrets',
    trueWhen: 'on a server: the cluster has the Secrets in the settings, with the values in the vault',
  },
  { type: 'Charts', trueWhen: 'on a server: K3s has deployed the charts in the settings' },
  { type: 'GitOps', trueWhen: 'on a server: the GitOps engine is installed and has applied the repository' },
] as const satisfies readonly { readonly type: string; readonly trueWhen: string }[];

export const conditionTypes = conditions.map(({ type }) => type);

type OwnedReasons = typeof reasons;
type ListedConditions = Readonly<Record<(typeof conditions)[number]['type'], true>>;

declare module './engine/reasons.ts' {
  interface Reasons extends OwnedReasons {}
}

declare module './engine/resource.ts' {
  interface Conditions extends ListedConditions {}
}
