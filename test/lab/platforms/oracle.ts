import { randomBytes } from 'node:crypto';
import { gitHostKnows, newSecrets } from '../cluster-secrets.ts';
import { assignmentOf, type Controls } from '../controls.ts';
import { exampleConfig } from '../example-settings.ts';
import { freePort } from '../lab.ts';
import type { LabNode } from '../node.ts';
import { type Oracle, startOracle } from '../oracle/index.ts';
import { readRepos } from '../oracle/registry.ts';
import { readSecret } from '../oracle/vault.ts';
import { runLab } from '../running-lab.ts';
import { argocdLines, exampleGitOps, writeRepository } from './argocd-repository.ts';
import { configLines, joinSecret, loginLines, rows } from './facts.ts';
import { addedLines, type LabSettings, labFile } from './lab-settings.ts';
import { natPlan } from './nat-plan.ts';
import { type ExampleNode, oracleExample } from './oracle-example.ts';
import type { Platform, PlatformOptions, RunningPlatform } from './platform.ts';
import { exampleSecrets, secretLines, vaultNames } from './workload-secrets.ts';

const loginServer = 'fra.ocir.io';

/** The three nodes of packaging/terraform/oracle on an emulated Oracle Cloud. */
export const oracle: Platform = {
  name: 'oracle',
  summary: 'An emulated Oracle Cloud, a release mirror, and the three VMs of packaging/terraform/oracle',
  joinedBy: [],
  next: 'docs/usage/oracle.md describes the platform.',
  start,
};

async function start(options: PlatformOptions): Promise<RunningPlatform> {
  const gitops = exampleGitOps();
  const secrets = newSecrets();
  const stored = { 'k3s-token': secrets.joinToken, 'k3s-agent-token': secrets.agentToken };
  const further = {
    'cloudflare-token': secrets.cloudflareToken,
    'ghcr-token': secrets.registryToken,
    'github-token': secrets.gitToken,
    [gitops.argocd.tokenSecretName]: secrets.gitToken,
  };
  const wished = exampleSecrets();
  const port = await freePort();
  const settings = { workloads: { secrets: wished }, gitops };
  const vms = oracleExample({ registries: [loginServer], settings }).map((vm) => onLoopback(vm, port));
  const cloud = await startCloud(vms, { ...stored, ...further }, [
    ...vaultNames(wished),
    gitops.argocd.tokenSecretName,
  ]);
  const nodes = vms.map((vm) => ({ name: vm.name, files: filesOf(vm, cloud, port) }));
  const lab = await runLab(options, { cloud, secrets, nodes });
  const server = lab.node('server');
  gitHostKnows(secrets, server);
  writeRepository(server, gitops);
  return {
    lab,
    controls: oracleControls(cloud, (name, gitToken) => {
      if (name === gitops.argocd.tokenSecretName) {
        gitHostKnows({ gitToken }, server);
      }
    }),
    async show(say) {
      say('What each node got from Oracle Cloud:');
      for (const node of lab.nodes) {
        say(nodeLines(node, cloud, stored));
      }
      say('\nSecrets of the vault that the server put into the cluster:');
      say((await secretLines(server, wished)).map((line) => `  ${line}`).join('\n'));
      say('\nApplication of Argo CD, which follows the repository:');
      say((await argocdLines(server)).map((line) => `  ${line}`).join('\n'));
      const [ingress] = nodes;
      const plan = await natPlan(ingress?.files ?? []);
      say(natText(plan));
      say(differences(vms.map((vm) => labSettings(vm.name, cloud, port))));
    },
  };
}

/** Returns a copy of the VM. If the VM has the tag `k3s-server`, its value becomes the server's loopback URL. */
function onLoopback(vm: ExampleNode, port: number): ExampleNode {
  const { 'k3s-server': server, ...tags } = vm.tags;
  return { ...vm, tags: { ...tags, ...(server && { 'k3s-server': `https://127.0.0.1:${port}` }) } };
}

/**
 * Starts the cloud with the permissions in identities.tf. Only the server may read k3s-token and the secrets that
 * `further` names; every VM may read k3s-agent-token and pull images.
 */
async function startCloud(
  vms: readonly ExampleNode[],
  secrets: Readonly<Record<string, string>>,
  further: readonly string[],
): Promise<Oracle> {
  const nodes = vms.map(({ name, hostname, address, tags }) => {
    return [name, { hostname, addresses: [address], freeformTags: { ...tags } }] as const;
  });
  const cloud = await startOracle({
    nodes: Object.fromEntries(nodes),
    secrets,
    registries: [loginServer],
  });
  for (const name of ['k3s-token', ...further]) {
    cloud.permit('server', readSecret(name));
  }
  for (const { name } of vms) {
    cloud.permit(name, readSecret('k3s-agent-token'));
    cloud.permit(name, readRepos);
  }
  return cloud;
}

/** Returns the settings files of a VM: the file in oracle.yaml, filled in as nodes.tf does, and the lab's file. */
function filesOf(vm: ExampleNode, cloud: Oracle, port: number) {
  const config = { oracle: { vault: { id: cloud.vault.id } }, ...vm.settings };
  return [...exampleConfig('oracle', config), labFile(labSettings(vm.name, cloud, port))];
}

function labSettings(node: string, cloud: Oracle, port: number): LabSettings {
  return {
    'network.proxy': cloud.proxyUrl,
    'network.caFile': cloud.caFile,
    'oracle.imdsEndpoint': cloud.node(node).url,
    ...(node === 'server' && { 'k3s.config.https-listen-port': port, 'workloads.verifyEvery': '1m' }),
  };
}

function nodeLines(node: LabNode, cloud: Oracle, secrets: Readonly<Record<string, string>>): string {
  const { vm } = cloud.node(node.name);
  const tags = Object.entries(vm.freeformTags).map(([name, value]) => `${name}=${value}`);
  return [
    `  ${node.name}`,
    ...rows('freeform tags', tags),
    ...rows('join token', [
      `secret ${joinSecret(node, secrets)} of the vault, read as the instance principal`,
    ]),
    ...rows('login', loginLines(node)),
    ...rows('K3s', configLines(node, ['node-name', 'node-ip', 'node-label'])),
  ].join('\n');
}

function natText(plan: readonly string[]): string {
  return [
    '\nNAT needs root and nft, which the lab does not have, so it is not set up here. On the VM ingress,',
    'slipway plan shows:',
    ...plan.map((line) => `  ${line}`),
  ].join('\n');
}

function differences(nodes: readonly LabSettings[]): string {
  return [
    '\nThe settings come from packaging/terraform/oracle (terraform.tfvars.example, with registries, and with the',
    'Secrets of docs/usage/workloads.md in settings) and packaging/cloud-init/oracle.yaml. The lab adds, in',
    'config.d/lab.yaml of each node:',
    ...addedLines(nodes).map((line) => `  ${line}`),
    'The tag k3s-server names the server on loopback.',
    'Cloud-init, the rules of the image and the metadata guard also need root, so they are not set up here. The',
    'example has arm64 VMs; the nodes here have the processor of this machine.\n',
  ].join('\n');
}

/** Returns the commands of the platform. Calls `onSecret` with each new value of a secret. */
function oracleControls(cloud: Oracle, onSecret: (name: string, value: string) => void): Controls {
  return {
    tag([node = '', assignment]) {
      const { name, value } = assignmentOf(assignment);
      cloud.node(node).vm.freeformTags[name] = value;
      return `${node} has the tag ${name}=${value}`;
    },
    secret([name]) {
      if (!name) {
        throw new Error('Which secret? For example k3s-token.');
      }
      const value = randomBytes(24).toString('hex');
      cloud.vault.set(name, value);
      onSecret(name, value);
      return `the secret ${name} has another value`;
    },
  };
}
