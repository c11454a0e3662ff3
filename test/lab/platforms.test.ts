/** Brings up each platform of `npm run lab` except Azure from its examples; walkthrough.test.ts brings up Azure. */
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { packaged } from './executable.ts';
import { lengthened } from './limits.ts';
import type { LabNode } from './node.ts';
import { rootApplication } from './platforms/argocd-repository.ts';
import { oracle } from './platforms/oracle.ts';
import type { Platform, RunningPlatform } from './platforms/platform.ts';
import { vps } from './platforms/vps.ts';
import { secretIn } from './platforms/workload-secrets.ts';

/** A platform whose nodes are all Ready, and the text that the lab showed about the platform. */
interface Shown extends RunningPlatform {
  readonly text: string;
}

const dir = join(tmpdir(), `slipway-platforms-${process.pid}`);

let shown: Shown;

function bringUp(platform: Platform, joinedBy?: string): void {
  beforeAll(async () => {
    expect(existsSync(packaged), `${packaged} is there: npm run package makes it`).toBe(true);
    const running = await platform.start({ dir, executable: [packaged], ...(joinedBy && { joinedBy }) });
    const lines: string[] = [];
    shown = { ...running, text: '' };
    running.lab.start();
    await running.lab.waitReady();
    await running.show((text) => lines.push(text));
    shown = { ...running, text: lines.join('\n') };
  });

  afterAll(async () => {
    await shown?.lab.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  });
}

function isConverged(): void {
  test('brings every condition of every node to True, and leaves nothing to change', async () => {
    for (const node of shown.lab.nodes) {
      expect(node.status()?.conditions.filter(({ status }) => status !== 'True')).toEqual([]);
      const { exitCode, stdout } = await node.slipway('plan');
      expect([exitCode, stdout]).toEqual([0, expect.stringContaining('0 to change')]);
    }
  });

  test('shows and logs no secret', () => {
    const logs = shown.lab.nodes.flatMap(({ log }) => log).join('\n');
    const secrets = Object.values(shown.lab.secrets);
    expect(secrets.filter((secret) => `${logs}\n${shown.text}`.includes(secret))).toEqual([]);
  });
}

describe('the platform oracle', () => {
  bringUp(oracle);
  isConverged();

  test('gives its nodes the roles in their tags: ingress, server and agent', async () => {
    const roles = shown.lab.nodes.map((node) => [node.name, node.status()?.role]);
    expect(roles).toEqual([
      ['ingress', 'ingress'],
      ['server', 'server'],
      ['worker', 'agent'],
    ]);
    const { metadata } = await nodeObject('fleet-ingress');
    expect(metadata.labels).toMatchObject({
      role: 'ingress',
      'svccontroller.k3s.cattle.io/enablelb': 'true',
    });
  });

  test('joins the ingress node and the worker with only the token for agents', () => {
    const { joinToken, agentToken } = shown.lab.secrets;
    for (const name of ['ingress', 'worker']) {
      const token = shown.lab.node(name).read('var/lib/slipway/join-token');
      expect(token).toContain(agentToken);
      expect(token).not.toContain(joinToken);
    }
    expect(shown.text.match(/secret (\S+) of the vault/g)).toEqual([
      'secret k3s-agent-token of the vault',
      'secret k3s-token of the vault',
      'secret k3s-agent-token of the vault',
    ]);
  });

  test('gives each node a login for its registry that expires after an hour', () => {
    for (const node of shown.lab.nodes) {
      const [login] = node.status()?.credentials ?? [];
      expect(login?.server).toBe('fra.ocir.io');
      const life = Date.parse(login?.ends ?? '') - Date.parse(login?.received ?? '');
      expect(Math.round(life / 60_000)).toBe(60);
    }
    expect(shown.text).toMatch(/fra\.ocir\.io: received [\d:]+Z, renewal [\d:]+Z, ends [\d:]+Z/);
  });

  test('creates three Secrets with values from the vault in the cluster', async () => {
    const { cloudflareToken, registryToken, gitToken } = shown.lab.secrets;
    const server = shown.lab.node('server');
    expect(await valuesOf(server, 'cert-manager/cloudflare-api-token')).toEqual({
      'api-token': cloudflareToken,
    });
    expect(await valuesOf(server, 'apps/github')).toEqual({ username: 'x-access-token', password: gitToken });
    const { '.dockerconfigjson': config = '' } = await valuesOf(server, 'default/regcred');
    expect(JSON.parse(config).auths['ghcr.io']).toMatchObject({
      username: 'octocat',
      password: registryToken,
    });
    expect(shown.text).toContain('cert-manager/cloudflare-api-token: Opaque with api-token');
  });

  test('hands the cluster over to Argo CD, whose root Application is synced', async () => {
    const server = shown.lab.node('server');
    expect(shown.text).toMatch(/root: Synced at [0-9a-f]{7}, Healthy/);
    const { stdout } = await server.run('kubectl', ...'get configmap fleet -n argocd -o json'.split(' '));
    expect(JSON.parse(stdout).metadata.annotations).toEqual({
      'argocd.argoproj.io/tracking-id': 'root:/ConfigMap:argocd/fleet',
    });
  });

  // One test for both tokens, because each waits for the minute of workloads.verifyEvery.
  test('copies new Cloudflare and Git tokens into the cluster within workloads.verifyEvery, and restarts nothing', async () => {
    const server = shown.lab.node('server');
    const { cloudflareToken, gitToken } = shown.lab.secrets;
    const unit = () => server.show('k3s.service', 'MainPID', 'ExecMainPID');
    const [before, daemon] = [await unit(), server.pid];
    await shown.controls.secret?.(['argocd-token']);
    await shown.controls.secret?.(['cloudflare-token']);
    const sync = async () => (await rootApplication(server)).status.sync.status;
    const cloudflare = () => valuesOf(server, 'cert-manager/cloudflare-api-token');
    const limit = { timeout: lengthened(90_000), interval: 500 };
    await expect.poll(sync, limit).toBe('Unknown');
    await expect.poll(sync, limit).toBe('Synced');
    await expect.poll(cloudflare, limit).not.toEqual({ 'api-token': cloudflareToken });
    expect((await valuesOf(server, 'argocd/slipway-repository')).password).not.toBe(gitToken);
    expect([await unit(), server.pid]).toEqual([before, daemon]);
  });

  test('shows the NAT that the ingress node would set up, and sets up none', () => {
    expect(shown.text).toContain('ip saddr 10.0.2.0/24 masquerade');
    expect(shown.text).toContain('then: systemctl reload-or-restart slipway-nat.service');
    expect(shown.lab.node('ingress').read('etc/slipway/nat.nft')).toBeUndefined();
  });

  test('lists every setting that it adds to those of the example', () => {
    expect(added(shown.lab.node('worker'))).toEqual(['network', 'oracle']);
    expect(added(shown.lab.node('server'))).toEqual(['k3s', 'network', 'oracle', 'workloads']);
    for (const setting of [
      'network.proxy',
      'network.caFile',
      'oracle.imdsEndpoint',
      'workloads.verifyEvery',
    ]) {
      expect(shown.text).toContain(`  ${setting} `);
    }
  });

  test('lets a node read a changed tag', async () => {
    expect(await shown.controls.tag?.(['worker', 'k3s-version=v1.36.3+k3s1'])).toBe(
      'worker has the tag k3s-version=v1.36.3+k3s1',
    );
    const { stdout } = await shown.lab.node('worker').slipway('config');
    expect(stdout).toContain('tag k3s-version');
  });
});

describe.each(vps.joinedBy)('the platform vps joined by %s', (joinedBy) => {
  bringUp(vps, joinedBy);
  isConverged();

  test('has a tainted server and an agent without taints, with the labels of the example', async () => {
    const [server, agent] = [await nodeObject('vps-server'), await nodeObject('vps-agent')];
    expect([server.metadata.labels['node-role'], agent.metadata.labels['node-role']]).toEqual([
      'master',
      'worker',
    ]);
    expect(server.spec.taints).toEqual([
      { key: 'node-role.kubernetes.io/control-plane', value: 'true', effect: 'NoSchedule' },
    ]);
    expect(agent.spec.taints).toBeUndefined();
  });

  test('joins its nodes by the token in a file of the user data, which only its owner may read', () => {
    for (const node of shown.lab.nodes) {
      expect(node.read('etc/slipway/k3s-token')).toBe(`${shown.lab.secrets.joinToken}\n`);
      expect(node.modeOf('etc/slipway/k3s-token')).toBe(0o600);
    }
    expect(shown.text.match(/the file \/etc\/slipway\/k3s-token$/gm)).toHaveLength(2);
  });

  test('gives K3s an address of this machine, or the address that the lab lists', () => {
    const [, address = ''] = /vps-server at (\S+):/.exec(shown.text) ?? [];
    const config = configOf('server');
    expect(config['node-ip']).toEqual([address]);
    const isWireguard = joinedBy === 'wireguard';
    expect(config['flannel-backend']).toBe(isWireguard ? 'wireguard-native' : undefined);
    expect(config['node-external-ip'] !== undefined).toBe(isWireguard);
    const isChosen = !isWireguard && !shown.text.includes('static.address  ');
    expect(config['flannel-iface'] !== undefined).toBe(isChosen);
  });

  test('shows that the metadata service is not guarded', () => {
    expect(shown.text.match(/no guard +the network is the machine's own/g)).toHaveLength(2);
  });
});

function added(node: LabNode): readonly string[] {
  return Object.keys(parse(node.read('etc/slipway/config.d/lab.yaml') ?? '')).toSorted();
}

function configOf(name: string) {
  return parse(shown.lab.node(name).read('etc/rancher/k3s/config.yaml') ?? '');
}

async function valuesOf(server: LabNode, path: string): Promise<Readonly<Record<string, string>>> {
  const { data } = await secretIn(server, path);
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  );
}

async function nodeObject(name: string) {
  const { stdout } = await shown.lab.node('server').run('kubectl', 'get', 'node', name, '-o', 'json');
  return JSON.parse(stdout);
}
