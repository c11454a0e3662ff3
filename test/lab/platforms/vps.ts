import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { machineFacts } from '../../../src/agent/host/machine-facts.ts';
import { newSecrets } from '../cluster-secrets.ts';
import { exampleFiles, type NodeFile } from '../example-settings.ts';
import { startInternet } from '../internet.ts';
import { freePort } from '../lab.ts';
import type { LabCloud } from '../lab-clouds.ts';
import type { LabNode } from '../node.ts';
import { runLab } from '../running-lab.ts';
import { configLines, joinSecret, messageOf, rows } from './facts.ts';
import { addedLines, type LabSettings, labFile } from './lab-settings.ts';
import type { Platform, PlatformOptions, RunningPlatform } from './platform.ts';

const ways = ['private-network', 'wireguard'] as const;

/** A server and an agent outside any cloud, from the user data in packaging/cloud-init/vps-*.yaml. */
export const vps: Platform = {
  name: 'vps',
  summary: 'A release mirror and two VPSs without a cloud',
  joinedBy: ways,
  next: 'docs/usage/vps.md describes the platform.',
  start,
};

/** What the two VPSs of a lab share. */
export interface VpsGround {
  readonly joinedBy: string;
  readonly token: string;
  readonly port: number;
  /** The folder that contains the root of each VPS. */
  readonly dir: string;
  readonly internet: Pick<LabCloud, 'proxyUrl' | 'caFile'>;
  /**
   * The IPv4 address that both VPSs use: the address of the interface with the default route. `undefined` if this
   * machine has no such route.
   */
  readonly address: string | undefined;
}

async function start({ joinedBy = ways[0], ...options }: PlatformOptions): Promise<RunningPlatform> {
  const secrets = newSecrets();
  const cloud = await startInternet();
  const usual = machineFacts().interfaces.find((each) => each.hasDefaultRoute && isIPv4(each.address));
  const ground = {
    ...{ joinedBy, address: usual?.address, dir: options.dir, port: await freePort() },
    ...{ token: secrets.joinToken, internet: cloud },
  };
  const names = ['server', 'agent'];
  const nodes = names.map((name) => ({ name, files: filesOf(name, ground) }));
  const lab = await runLab(options, { cloud, secrets, nodes });
  return {
    lab,
    controls: {},
    async show(say) {
      say(`What each VPS found without a cloud (${joinedBy}):`);
      for (const node of lab.nodes) {
        say(nodeLines(node, ground));
      }
      say(differences(names, ground));
    },
  };
}

/** Returns the files of a VPS: the files in its user data, and the lab's settings file. */
export function filesOf(name: string, ground: VpsGround): readonly NodeFile[] {
  const values: Readonly<Record<string, string>> = {
    slipway_url: 'https://example.com/slipway',
    slipway_sha256: '0'.repeat(64),
    k3s_token: ground.token,
    ...(ground.joinedBy === 'private-network' && { private_range: rangeOf(ground.address) }),
    ...(name === 'server'
      ? { api_address: 'api.example.com' }
      : { server_address: `https://127.0.0.1:${ground.port}` }),
  };
  return [...exampleFiles(`vps-${ground.joinedBy}-${name}`, values), labFile(labSettings(name, ground))];
}

/**
 * Returns the range that contains only this address, because a machine may have several addresses in one network; a
 * range without effect if the address is `undefined`.
 */
function rangeOf(address: string | undefined): string {
  return address === undefined ? '10.0.0.0/16' : `${address}/32`;
}

function rangeLine(address: string | undefined): string {
  const why =
    address === undefined ? 'without effect here' : 'the address of this machine, which both VPSs have';
  return `${rangeOf(address)}, ${why}`;
}

function labSettings(name: string, { internet, port, dir, address, joinedBy }: VpsGround): LabSettings {
  return {
    'network.proxy': internet.proxyUrl,
    'network.caFile': internet.caFile,
    'static.secrets.k3s-token': join(dir, name, tokenFile),
    'static.computerName': `vps-${name}`,
    ...(address === undefined && { 'static.address': name === 'server' ? '10.0.0.2' : '10.0.0.3' }),
    ...(address === undefined &&
      joinedBy === 'wireguard' && {
        'static.externalAddress': name === 'server' ? '203.0.113.2' : '203.0.113.3',
      }),
    ...(name === 'server' && { 'k3s.config.https-listen-port': port }),
  };
}

const tokenFile = '/etc/slipway/k3s-token';

/** Returns a description of how Slipway selected the address of a VPS. */
function addressRule({ address, joinedBy }: VpsGround): string {
  if (address === undefined) {
    return 'static.address of the lab, since this machine has no default route';
  }
  return joinedBy === 'private-network'
    ? `the one that fits static.address ${rangeOf(address)}`
    : "that of the default route's interface, by default and by static.externalAddress";
}

const shownFlags = [
  ...['node-ip', 'flannel-iface', 'node-external-ip', 'flannel-backend', 'node-label', 'node-taint'],
  ...['disable', 'secrets-encryption', 'protect-kernel-defaults'],
];

function nodeLines(node: LabNode, ground: VpsGround): string {
  return [
    `  ${node.name}`,
    ...rows('address', [`${messageOf(node, 'Identity')}: ${addressRule(ground)}`]),
    ...rows('join token', [`the file ${joinSecret(node, { [tokenFile]: ground.token })}`]),
    ...rows('K3s', configLines(node, shownFlags)),
    ...rows('no guard', [messageOf(node, 'ImdsGuard')]),
  ].join('\n');
}

function differences(names: readonly string[], ground: VpsGround): string {
  const added = addedLines(names.map((name) => labSettings(name, ground)));
  return [
    `\nThe settings come from packaging/cloud-init/vps-${ground.joinedBy}-*.yaml. The lab fills in:`,
    ...(ground.joinedBy === 'private-network' ? [`  private_range   ${rangeLine(ground.address)}`] : []),
    '  server_address  the server on loopback',
    '  k3s_token       a random password',
    'It adds, in config.d/lab.yaml of each VPS:',
    ...added.map((line) => `  ${line}`),
    'Cloud-init, the kernel settings and the metadata guard need root, so they are not set up here.\n',
  ].join('\n');
}
