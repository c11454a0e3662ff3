import { expect, test } from 'vitest';
import { probesFor } from '../../../../src/agent/doctor/doctor.ts';
import { ok, type Subject } from '../../../../src/agent/doctor/probe.ts';
import type { K3sNode } from '../../../../src/agent/node.ts';
import { parts } from '../../../../src/agent/parts/index.ts';
import type { Part } from '../../../../src/agent/parts/part.ts';
import { nodePaths } from '../../../../src/agent/paths.ts';
import { FakeCloud } from '../../../lab/fake-cloud.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { aNode } from '../a-node.ts';
import { argocdSettings } from '../gitops/argocd/settings.ts';

const settings = {
  registries: { servers: ['a.azurecr.io', 'b.azurecr.io'], proof: ['a.azurecr.io/x:1'] },
  azure: { keyVault: { name: 'myteam' } },
  workloads: { charts: { app: { chart: 'oci://charts.example.com/app', namespace: 'app' } } },
};
const machine = memoryHost();
const noWarnings: readonly string[] = [];
const noEndpoints: readonly URL[] = [];

function asked(
  node: K3sNode | undefined,
  { known = true, table = parts, cloudWarnings = noWarnings, endpoints = noEndpoints, more = {} } = {},
): readonly string[] {
  const configured = {
    settings: aNode('server', { settings: { ...settings, ...more } }).settings,
    host: machine,
    cloud: new FakeCloud(),
    endpoints,
    cloudWarnings,
  };
  const probes = probesFor(
    {
      machine,
      measures: { memoryAvailable: async () => 0, disk: async () => ({ size: 0, available: 0 }) },
      paths: nodePaths('/'),
      configured: known ? configured : undefined,
      node,
      plan: [{ id: 'A', summary: 'a', condition: 'NodeReady', check: async () => ({ state: 'InSync' }) }],
      isRunning: async () => true,
    },
    table,
  );
  return probes.map(({ about, what }) => `${about}: ${what}`);
}

const ofMachine = [
  ...['machine: kernel modules', 'machine: cgroups', 'machine: swap', 'machine: memory'],
  ...['machine: mounts', 'machine: disk'],
];

test('the probes of a server cover all its dependencies, in order', () => {
  expect(asked(aNode('server', { settings }))).toEqual([
    ...ofMachine,
    ...[
      'machine: port 6443/tcp',
      'machine: port 10250/tcp',
      'machine: port 8472/udp',
      'machine: host firewall',
      'machine: peers',
    ],
    ...['network: proxy', 'network: DNS a.azurecr.io', 'network: DNS b.azurecr.io'],
    ...['network: DNS github.com', 'network: clock', 'network: charts of charts.example.com'],
    ...['cloud: metadata service', 'cloud: secret k3s-token'],
    ...['cloud: exchange a.azurecr.io', 'cloud: pull a.azurecr.io/x:1'],
    ...['cloud: exchange b.azurecr.io', 'cloud: login b.azurecr.io'],
    ...['cloud: K3s release', 'node: daemon', 'node: NodeReady'],
    ...['node: leaf certificates', 'node: CA certificates', 'node: certificate of the port'],
    'node: copies of the datastore',
    'node: backups of the datastore',
  ]);
});

test("the network probes resolve the names of the cloud's services", () => {
  const endpoints = [new URL('https://auth.moon.example'), new URL('https://vault.moon.example/v1')];
  expect(asked(undefined, { endpoints }).filter((name) => name.startsWith('network: DNS'))).toEqual([
    ...['network: DNS a.azurecr.io', 'network: DNS b.azurecr.io'],
    ...['network: DNS auth.moon.example', 'network: DNS vault.moon.example', 'network: DNS github.com'],
  ]);
});

test('the network probes resolve the names of the Git host and of the chart of the GitOps engine', () => {
  const argocd = argocdSettings({ url: 'git@git.acme.test:acme/fleet.git' });
  const probes = asked(undefined, { more: { gitops: { engine: 'argocd', argocd } } });
  expect(probes).toContain('network: DNS git.acme.test');
  expect(probes).toContain('network: DNS argoproj.github.io');
});

test('the first probe of the cloud shows a warning about the choice of the cloud', () => {
  const all = asked(undefined, { cloudWarnings: ['The machine has a sign of the moon.'] });
  expect(all[all.indexOf('cloud: metadata service') - 1]).toBe('cloud: choice of the cloud');
});

test('the probes cover only the machine and the node if there are no settings', () => {
  expect(asked(undefined, { known: false })).toEqual([
    ...ofMachine,
    ...[
      'machine: port 6443/tcp',
      'machine: port 10250/tcp',
      'machine: port 8472/udp',
      'machine: host firewall',
      'machine: peers',
    ],
    ...['node: daemon', 'node: NodeReady'],
  ]);
});

test.each<[Subject, string]>([
  ['machine', 'network: proxy'],
  ['network', 'cloud: metadata service'],
  ['cloud', 'node: daemon'],
])('a new probe of a part runs after all other probes of its subject: %s', (about, next) => {
  const madeUp: Part = {
    ...{ name: 'lighthouse', settings: {}, conditions: [], reasons: {}, consents: [], startInputs: [] },
    ...{ owns: () => [], reads: () => [] },
    probes: () => [{ about, what: 'lamp', look: async () => ok('it shines') }],
  };
  const all = asked(undefined, { table: [...parts, madeUp] });
  expect(all[all.indexOf(`${about}: lamp`) + 1]).toBe(next);
});
