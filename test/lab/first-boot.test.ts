import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packaged } from './executable.ts';
import { type Lab, loginServer, startLab } from './lab.ts';
import type { LabNode } from './node.ts';

const dir = join(tmpdir(), `slipway-first-boot-${process.pid}`);

const workloads = {
  secrets: { 'cert-manager/cloudflare': { keys: { 'api-token': 'cloudflare-token' } } },
  charts: {
    'cert-manager': {
      chart: 'oci://quay.io/jetstack/charts/cert-manager',
      version: 'v1.20.3',
      namespace: 'cert-manager',
      timeout: '90m',
    },
  },
};

describe('after a first boot of three bare nodes', () => {
  let lab: Lab;

  beforeAll(async () => {
    expect(existsSync(packaged), `${packaged} is there: npm run package makes it`).toBe(true);
    lab = await startLab({ dir, executable: [packaged], settings: { workloads } });
    lab.start();
    await lab.waitReady();
  });

  afterAll(async () => {
    await lab?.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  test.each(['server', 'agent', 'observability'] as const)(
    'vm-%s is a Ready node of the cluster',
    async (role) => {
      const node = await nodeObject(lab, `vm-${role}`);
      expect(node.status.conditions).toContainEqual(
        expect.objectContaining({ type: 'Ready', status: 'True' }),
      );
      expect(node.status.nodeInfo.kubeletVersion).toBe('v1.36.3+k3s1');
    },
  );

  test('the observability node has the taint and the label of its role, and the agent has neither', async () => {
    const taint = { key: 'observability', value: 'true', effect: 'NoSchedule' };
    const observability = await nodeObject(lab, 'vm-observability');
    expect(observability.spec.taints).toEqual([taint]);
    expect(observability.metadata.labels.role).toBe('observability');
    const agent = await nodeObject(lab, 'vm-agent');
    expect(agent.spec.taints).toBeUndefined();
    expect(agent.metadata.labels.role).toBeUndefined();
  });

  test.each(['server', 'agent', 'observability'] as const)(
    'vm-%s has its annotations and exactly one event in the cluster',
    async (role) => {
      const name = `vm-${role}`;
      const annotations = async () => (await nodeObject(lab, name)).metadata.annotations;
      await expect.poll(annotations, { timeout: 60_000 }).toMatchObject({
        ...{ 'slipway.dev/role': role, 'slipway.dev/ready': 'True', 'slipway.dev/reason': 'InSync' },
        ...{ 'slipway.dev/failing': '' },
      });
      const reasons = async () => {
        const { stdout } = await kubectl(lab.node('server'), 'get', 'events', '-o', 'json');
        const events: readonly NodeEvent[] = JSON.parse(stdout).items;
        const own = events.filter(({ involvedObject }) => involvedObject.uid === name);
        return own.map(({ reason }) => reason);
      };
      await expect.poll(reasons, { timeout: 60_000 }).toEqual(['RoleTaken']);
    },
  );

  test('Flux syncs the cluster from the path in the settings', async () => {
    const kind = 'kustomizations.kustomize.toolkit.fluxcd.io';
    const sync = await kubectl(
      lab.node('server'),
      'get',
      kind,
      '-n',
      'flux-system',
      'flux-system',
      '-o',
      'json',
    );
    expect(JSON.parse(sync.stdout).spec.path).toBe('./clusters/lab');
  });

  test("Slipway keeps the Git token in Flux's Secret, with its version in the vault", async () => {
    const get = ['get', 'secrets', '-n', 'flux-system', 'flux-system', '-o', 'json'];
    const secret = async () => JSON.parse((await kubectl(lab.node('server'), ...get)).stdout);
    const versions = async () => (await secret()).metadata.annotations?.['slipway.dev/versions'];
    await expect.poll(versions, { timeout: 60_000 }).toMatch(/^[0-9a-f]+$/);
    const { data } = await secret();
    expect(Buffer.from(data.password, 'base64').toString()).toBe(lab.secrets.gitToken);
    expect(Buffer.from(data.username, 'base64').toString()).toBe('git');
  });

  test('the cluster has the Secret in workloads.secrets, with the value from the vault', async () => {
    const get = ['get', 'secrets', '-n', 'cert-manager', 'cloudflare', '-o', 'json'];
    const { stdout } = await kubectl(lab.node('server'), ...get);
    const { data } = JSON.parse(stdout);
    expect(Buffer.from(data['api-token'], 'base64').toString()).toBe(lab.secrets.cloudflareToken);
  });

  test('the chart in workloads.charts is deployed once, and only the server reports it', async () => {
    const chart = await kubectl(
      lab.node('server'),
      ...['get', 'helmcharts.helm.cattle.io', '-n', 'kube-system', 'cert-manager', '-o', 'json'],
    );
    expect(JSON.parse(chart.stdout).spec).toMatchObject({ version: 'v1.20.3', timeout: '1h30m0s' });
    const charts = async (role: 'server' | 'agent') => {
      const { stdout } = await lab.node(role).slipway('status', '-o', 'json');
      const conditions: readonly { readonly type: string; readonly reason: string }[] =
        JSON.parse(stdout).conditions;
      return conditions.find(({ type }) => type === 'Charts')?.reason;
    };
    await expect.poll(() => charts('server'), { timeout: 60_000 }).toBe('InSync');
    expect(await charts('agent')).toBeUndefined();
    const list = await kubectl(lab.node('server'), 'get', 'secrets', '-n', 'cert-manager', '-o', 'json');
    const names = JSON.parse(list.stdout).items.map(({ metadata }: HasName) => metadata.name);
    expect(names).toContain('sh.helm.release.v1.cert-manager.v1');
    expect(names).not.toContain('sh.helm.release.v1.cert-manager.v2');
  });

  test('K3s was started once on each node, with registry passwords', async () => {
    for (const node of lab.nodes) {
      const journal = await node.run('journalctl', '-o', 'cat', '--no-pager');
      expect(journal.stdout.match(/^Starting k3s/gm)).toHaveLength(1);
      expect(node.read('var/lib/rancher/k3s/agent/etc/containerd/config.toml')).toContain(loginServer);
    }
  });

  test('no program has logged that a file from Slipway has an unknown key, section or flag', async () => {
    for (const node of lab.nodes) {
      const journal = await node.run('journalctl', '-o', 'cat', '--no-pager');
      expect(journal.stdout).not.toMatch(/Unknown key|Unknown section|Unknown flag|Missing '='/);
    }
  });

  test('slipway plan reports no change on any node', async () => {
    for (const node of lab.nodes) {
      const { exitCode, stdout } = await node.slipway('plan');
      expect(stdout).not.toContain('would');
      expect(exitCode).toBe(0);
    }
  });

  test('an agent is Ready again after a power cut, and K3s was started once more', async () => {
    const agent = lab.node('agent');
    await agent.powerOff();
    await agent.boot();
    agent.start();
    await lab.waitReady();
    const journal = await agent.run('journalctl', '-o', 'cat', '--no-pager');
    expect(journal.stdout.match(/^Starting k3s/gm)).toHaveLength(2);
  });
});

interface HasName {
  readonly metadata: { readonly name: string };
}

interface NodeEvent {
  readonly reason: string;
  readonly involvedObject: { readonly uid: string };
}

async function nodeObject(lab: Lab, name: string) {
  const { stdout } = await kubectl(lab.node('server'), 'get', 'node', name, '-o', 'json');
  return JSON.parse(stdout);
}

function kubectl(server: LabNode, ...args: readonly string[]) {
  return server.run('k3s', 'kubectl', '--kubeconfig', join(server.root, 'etc/rancher/k3s/k3s.yaml'), ...args);
}
