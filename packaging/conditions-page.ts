import { writeFileSync } from 'node:fs';
import type { ConditionType } from '../src/agent/engine/resource.ts';
import { conditionTypes, reasons } from '../src/agent/vocabulary.ts';

// Writes docs/usage/conditions.md from the vocabulary that errors and conditions share:
// `node packaging/conditions-page.ts`

const pageFile = new URL('../docs/usage/conditions.md', import.meta.url);

const meanings: Readonly<Record<ConditionType, string>> = {
  Settings: 'the settings could be read and fit together',
  Identity: 'the cloud said what this VM is, and it can be a node',
  Role: 'the role is known, and is the one the node was installed with',
  Preflight: 'the VM can carry its role, and only root can change what root runs',
  ImdsGuard: 'pods are kept from the instance metadata service, but for those let through',
  System: 'kernel modules and settings are in place',
  K3sBinary: 'K3s and its links are there, in the version wanted',
  JoinToken: 'the join token is there; on a server, it is the one of the vault',
  K3sConfig: 'the configuration of K3s is as it should be',
  Registries: 'the registry credentials are fresh',
  CredentialProvider: 'kubelet gets a fresh registry credential from Slipway for each pull',
  ServerReachable: 'an agent: its server answers and takes its token',
  K3sRunning: 'the unit of K3s is installed and running, with what is on disk',
  NodeReady: 'the Kubernetes API says that this node is Ready, and it has its taints',
  Pulls: 'the newest credential of each login server was proven by a pull',
  GitOps: 'a server: the repository is bootstrapped and applied',
};

export function conditionsPage(): string {
  const types = conditionTypes.map((type) => `| ${type} | ${meanings[type]} |`);
  const entries = Object.entries(reasons).map(
    ([reason, meaning]) => `| [\`${reason}\`](runbook.md#${reason.toLowerCase()}) | ${meaning} |`,
  );
  return `<!-- made by packaging/conditions-page.ts -->
# Conditions and their reasons

\`slipway status\` shows conditions in the Kubernetes form. **True**: it is so. **Unknown**: not yet, and it may come by
itself. **False**: it failed, or has had its time; Slipway goes on looking and trying, every minute to every ten, and at once
when the settings change or after \`systemctl reload slipway\`. \`Ready\` sums them up: it stays True while what is wrong does not keep the node from working.

| condition | True when |
|---|---|
| Ready | nothing keeps this VM from being the node it should be |
${types.join('\n')}

The message beside a reason says what happened on this node, why, and what to do next; [the runbook](runbook.md) has the long form of each reason.

| reason | what it means |
|---|---|
${entries.join('\n')}
`;
}

if (import.meta.main) writeFileSync(pageFile, conditionsPage());
