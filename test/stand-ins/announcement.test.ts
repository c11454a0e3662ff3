/**
 * Tests the announcements of nodes with the real Host, the K3s stand-in and kubelet's identity. Also tests which
 * requests the kubectl stand-in refuses.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import type { Report } from '../../src/agent/agent.ts';
import type { Condition } from '../../src/agent/engine/conditions.ts';
import type { Event } from '../../src/agent/engine/events.ts';
import { inSync } from '../../src/agent/engine/resource.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { announcer } from '../../src/agent/report/announce.ts';
import { bundleStandIn } from '../lab/bundle.ts';
import { freePort } from '../lab/lab.ts';
import { runProgram } from '../lab/processes.ts';
import { callKnown, readKubeconfig } from '../lab/standins/kubectl-api.ts';
import { aNode } from '../unit/agent/a-node.ts';

const dir = mkdtempSync(join(tmpdir(), 'slipway-announcement-'));
const root = join(dir, 'vm-server');
const other = join(dir, 'vm-agent');
const running: ChildProcess[] = [];

beforeAll(async () => {
  const built = join(dir, 'k3s');
  await bundleStandIn('k3s', built, { K3S_VERSION: 'v1.36.3+k3s1' });
  const server = `https://127.0.0.1:${await freePort()}`;
  start(root, built, 'server', {
    'https-listen-port': Number(new URL(server).port),
    'node-name': 'vm-server',
  });
  start(other, built, 'agent', { server, 'node-name': 'vm-agent' });
  await vi.waitUntil(() => isReady('vm-server'), { timeout: 60_000, interval: 200 });
  await vi.waitUntil(() => isReady('vm-agent'), { timeout: 60_000, interval: 200 });
}, 120_000);

afterAll(async () => {
  for (const child of running) {
    child.kill('SIGKILL');
  }
  await Promise.all(running.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
});

function start(root: string, built: string, command: string, config: object): void {
  mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
  mkdirSync(join(root, 'etc/rancher/k3s'), { recursive: true });
  copyFileSync(built, join(root, 'usr/local/bin/k3s'));
  writeFileSync(join(root, 'token'), 'secret', { mode: 0o600 });
  const text = stringify({ ...config, 'token-file': join(root, 'token') });
  writeFileSync(join(root, 'etc/rancher/k3s/config.yaml'), text);
  const env = { PATH: '/usr/bin:/bin' };
  running.push(spawn(join(root, 'usr/local/bin/k3s'), [command], { env, stdio: 'ignore' }));
}

function kubectl(kubeconfig: string, ...args: readonly string[]) {
  const words = ['kubectl', '--kubeconfig', kubeconfig, ...args];
  return runProgram(join(root, 'usr/local/bin/k3s'), words, { PATH: '/usr/bin:/bin' });
}

const admin = join(root, 'etc/rancher/k3s/k3s.yaml');
const kubelet = join(root, 'var/lib/rancher/k3s/agent/kubelet.kubeconfig');

/**
 * Returns the parsed answer of the API if the status is 200, otherwise `undefined`. Does not use kubectl, which would
 * start a process each time.
 */
async function look(path: string) {
  const answer = await callKnown(readKubeconfig(admin), path);
  return answer.status === 200 ? JSON.parse(answer.body) : undefined;
}

function nodeObject(name: string) {
  return look(`/objects/node/default/${name}`);
}

async function isReady(name: string): Promise<boolean> {
  // The request fails until the kubeconfig exists and the API is up.
  const node = await nodeObject(name).catch(() => undefined);
  return node?.status.conditions[0].status === 'True';
}

async function events() {
  return (await look('/objects/events/default')).items;
}

function report(
  role: 'server' | 'agent',
  root: string,
  ...conditions: readonly Partial<Condition>[]
): Report {
  const resource = {
    id: 'Node/ready',
    condition: 'NodeReady',
    summary: '',
    check: async () => inSync(),
  } as const;
  const node = aNode(role, { root, name: `vm-${role}` });
  const all = [{ type: 'Ready', status: 'True', reason: 'InSync', message: '' }, ...conditions];
  return {
    knowledge: { files: {}, identity: {}, tagged: {}, role: {}, node: { value: node } },
    outcomes: [{ resource, state: 'InSync' }],
    conditions: all as readonly Condition[],
    credentials: [],
    certificates: [],
    wake: { at: 0, because: '' },
  };
}

const denied = { type: 'Registries', status: 'False', reason: 'PullDenied', message: 'No AcrPull.' } as const;

describe.each([
  ['server', root],
  ['agent', other],
] as const)('a node with the role %s', (role, root) => {
  const told: Event[] = [];
  const begin = () => announcer({ host: nodeHost(), version: '1.2.3', emit: (event) => told.push(event) });

  test('is annotated, and gets one Kubernetes event per change', async () => {
    const announce = begin();
    await announce(report(role, root));
    await announce(report(role, root, denied));
    await announce(report(role, root, denied));
    const { metadata } = await nodeObject(`vm-${role}`);
    expect(metadata.annotations).toMatchObject({
      'k3s.io/hostname': `vm-${role}`,
      'slipway.dev/version': '1.2.3',
      'slipway.dev/role': role,
      'slipway.dev/ready': 'True',
      'slipway.dev/reason': 'InSync',
      'slipway.dev/failing': 'Registries=PullDenied',
    });
    const own = (await events()).filter(
      ({ involvedObject }: { involvedObject: { uid: string } }) => involvedObject.uid === `vm-${role}`,
    );
    const reasons = own.map(({ type, reason }: { type: string; reason: string }) => `${type} ${reason}`);
    expect(reasons.sort()).toEqual(['Normal RoleTaken', 'Warning PullDenied']);
    expect(existsSync(join(root, 'run/slipway'))).toBe(false);
    expect(told).toEqual([]);
  });

  test('is not announced again after a restart of the daemon', async () => {
    const before = await events();
    await begin()(report(role, root, denied));
    expect(await events()).toEqual(before);
    expect(told).toEqual([]);
  });

  test('keeps its annotations through the heartbeats of kubelet', async () => {
    const { metadata, status } = await nodeObject(`vm-${role}`);
    const beat = status.conditions[0].lastHeartbeatTime;
    const next = async () => (await nodeObject(`vm-${role}`)).status.conditions[0].lastHeartbeatTime;
    await expect.poll(next, { timeout: 60_000, interval: 250 }).not.toBe(beat);
    expect((await nodeObject(`vm-${role}`)).metadata.annotations).toEqual(metadata.annotations);
  });
});

describe('the kubectl stand-in', () => {
  const annotate = ['annotate', 'node', 'vm-server', 'slipway.dev/x=1'];

  test.each<[string, string, readonly string[], string]>([
    [
      'an annotation of another Node',
      kubelet,
      ['annotate', 'node', 'vm-agent', 'a.b/c=d', '--overwrite'],
      "cannot read 'vm-agent'",
    ],
    ['a list of events', kubelet, ['get', 'events', '-o', 'json'], 'cannot list resource "events"'],
    ['the deletion of a Node', kubelet, ['delete', 'node', 'vm-server'], 'cannot delete resource "nodes"'],
    [
      'a flag of another verb',
      kubelet,
      ['get', 'node', 'vm-server', '--overwrite'],
      'unknown flag: --overwrite',
    ],
    ['an unknown flag', kubelet, [...annotate, '--frobnicate'], 'unknown flag: --frobnicate'],
    ['an unknown verb', kubelet, ['label', 'node', 'vm-server', 'a=b'], 'unknown command "label"'],
    ['a missing kubeconfig', '/nowhere', annotate, 'stat /nowhere: no such file'],
    ['a missing Node', admin, ['annotate', 'node', 'absent', 'a.b/c=d'], 'nodes "absent" not found'],
    [
      'an annotate command without annotations',
      kubelet,
      ['annotate', 'node', 'vm-server'],
      'at least one annotation update',
    ],
    [
      'a resource after an annotation',
      kubelet,
      [...annotate, 'late'],
      'must be specified before annotation changes: late',
    ],
    [
      'an annotation without a prefix',
      kubelet,
      ['annotate', 'node', 'vm-server', 'ready=1'],
      'metadata.annotations: Invalid',
    ],
    [
      'a new value without --overwrite',
      kubelet,
      ['annotate', 'node', 'vm-server', 'slipway.dev/role=x'],
      'already has a value (server)',
    ],
    ['a missing file', kubelet, ['create', '-f', '/nowhere'], 'the path "/nowhere" does not exist'],
  ])('refuses %s', async (_, kubeconfig, args, message) => {
    const { exitCode, stderr } = await kubectl(kubeconfig, ...args);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(1);
  });

  const event = {
    ...{ apiVersion: 'v1', kind: 'Event', metadata: { generateName: 'vm-server.', namespace: 'default' } },
    ...{
      involvedObject: { kind: 'Node', name: 'vm-server', uid: 'vm-server' },
      type: 'Normal',
      reason: 'Tried',
    },
    ...{ message: 'm', source: { component: 'slipway' }, count: 1 },
    ...{ firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:00Z' },
  };

  test.each<[string, object, string]>([
    [
      'of another Node',
      { involvedObject: { ...event.involvedObject, name: 'vm-agent' } },
      'is not allowed to tell of',
    ],
    [
      'in another namespace',
      { metadata: { ...event.metadata, namespace: 'x' } },
      'does not match event.namespace',
    ],
    ['with an unknown field', { severity: 'high' }, 'unknown field "severity"'],
    ['without a time', { lastTimestamp: undefined }, 'lastTimestamp: Invalid value'],
    ['whose kind is Secret', { kind: 'Secret' }, 'does not model create of a Secret'],
  ])('refuses an event %s', async (_, change, message) => {
    const file = join(dir, 'event.json');
    writeFileSync(file, JSON.stringify({ ...event, ...change }));
    const { exitCode, stderr } = await kubectl(kubelet, 'create', '-f', file);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(1);
  });

  test('accepts a complete event', async () => {
    const file = join(dir, 'event.json');
    writeFileSync(file, JSON.stringify(event));
    expect(await kubectl(kubelet, 'create', '-f', file)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^event\/vm-server\.[0-9a-f]{5} created\n$/),
    });
  });
});
