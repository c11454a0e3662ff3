import { expect, test } from 'vitest';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { forPerson } from '../../src/agent/engine/severity.ts';
import { recordingHost } from '../../src/agent/host/recording/recording-host.ts';
import { parseLogins, usableLogin } from '../../src/agent/parts/registry/answer/logins.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { condition, isReady, live, registry, type Vm, vm } from './a-vm.ts';

const minute = 60_000;
const hour = 60 * minute;
const image = `${registry}/base/alpine:3.22`;
const settings = `registries: { onRotate: never, proof: ["${image}"] }\n`;

function vmWithProof(role = 'agent'): Vm {
  const machine = vm(role, settings);
  machine.cloud.images.set(image, machine.acr.push('base/alpine', '3.22', 3_000_000));
  return machine;
}

function message({ conditions }: Awaited<ReturnType<typeof live>>, type: string): string | undefined {
  return conditions.find((each) => each.type === type)?.message;
}

test('the pull check pulls once per rotation, without a restart of K3s', async () => {
  const machine = vmWithProof();
  const slipway = machine.slipway();
  const up = await live(slipway, machine, minute, isReady);
  expect(condition(up, 'Pulls')).toBe('True InSync');
  expect(machine.acr.pulls).toBe(1);
  const passwords = () => machine.cloud.calls.filter((call) => call.startsWith('registryPassword')).length;
  let later = await live(slipway, machine, 10 * minute);
  for (let rotation = 0; rotation < 3; rotation += 1) {
    machine.host.advance(100 * minute);
    later = await live(slipway, machine, 20 * minute);
  }
  expect(passwords()).toBe(1 + 3);
  expect(machine.acr.pulls).toBe(passwords());
  expect(condition(later, 'Pulls')).toBe('True InSync');
  expect(message(later, 'Pulls')).toMatch(
    /^team\.azurecr\.io\/base\/alpine:3\.22 pulled at .* the identity sees it too\) with the credential that ends /,
  );
  expect(machine.units.starts).toBe(1);
});

test('the pull check uses the new credential after a rotation', async () => {
  const machine = vmWithProof();
  const slipway = machine.slipway();
  await live(slipway, machine, minute, isReady);
  machine.acr.denied = true;
  machine.host.advance(110 * minute);
  const report = await live(slipway, machine, 30 * minute);
  expect(condition(report, 'Registries')).toMatch(/^True/);
  expect(condition(report, 'Pulls')).toBe('False PullDenied');
});

test('a denied pull is reported on a node that stays Ready, and is checked again within eleven minutes', async () => {
  const machine = vmWithProof();
  machine.acr.denied = true;
  const slipway = machine.slipway();
  const during = await live(slipway, machine, 15 * minute);
  expect(condition(during, 'Pulls')).toBe('False PullDenied');
  expect(condition(during, 'Ready')).toBe('True PullDenied');
  expect(message(during, 'Pulls')).toMatch(/AcrPull/);
  machine.acr.denied = false;
  const after = await live(slipway, machine, 11 * minute);
  expect(condition(after, 'Pulls')).toBe('True InSync');
  expect(condition(after, 'Ready')).toBe('True InSync');
  expect(machine.units.starts).toBe(1);
});

test.each([
  ['an agent', 'agent'],
  ['a server', 'server'],
])(
  'a failing pull check blocks neither K3s nor what depends on K3s during the first boot of %s',
  async (_who, role) => {
    const machine = vmWithProof(role);
    machine.acr.storage = 'is away';
    const report = await live(machine.slipway(), machine, 15 * minute);
    expect(condition(report, 'Pulls')).toBe('False StorageUnreachable');
    expect(condition(report, 'Ready')).toBe('True StorageUnreachable');
    expect(condition(report, 'NodeReady')).toBe('True InSync');
    expect(machine.units.starts).toBe(1);
  },
);

test('the pull check reports an expired credential without a pull while the registry is down', async () => {
  const machine = vmWithProof();
  const slipway = machine.slipway();
  await live(slipway, machine, minute, isReady);
  machine.cloud.fail('registryPassword', new NodeError('RegistryUnavailable', 'It answers 503.'));
  const { pulls } = machine.acr;
  machine.host.advance(2 * hour);
  await live(slipway, machine, 10 * minute);
  machine.host.advance(hour);
  const during = await live(slipway, machine, 20 * minute);
  expect(condition(during, 'Pulls')).toBe('False PullCredentialRefused');
  expect(message(during, 'Pulls')).toMatch(/ended at .* Registries says why/);
  expect(machine.acr.pulls).toBe(pulls);
  machine.cloud.heal();
  const after = await live(slipway, machine, 75_000);
  expect(condition(after, 'Pulls')).toBe('True InSync');
  expect(machine.units.starts).toBe(1);
});

test('kubelet does not get a refused credential, and gets a new credential within eleven minutes', async () => {
  const machine = vmWithProof();
  const slipway = machine.slipway();
  await live(slipway, machine, minute, isReady);
  machine.acr.refuses = true;
  const logins = () => parseLogins(machine.host.files.text('/var/lib/slipway/logins.json') ?? '');
  const answer = () => usableLogin(logins(), registry, machine.host.now());
  const passwords = () => machine.cloud.calls.filter((call) => call.startsWith('registryPassword')).length;
  // Continues until the registry has refused the credential of the next rotation.
  await live(slipway, machine, 3 * hour, ({ outcomes }) =>
    outcomes.some((each) => 'reason' in each && each.reason === 'PullCredentialRefused'),
  );
  await live(slipway, machine, 10_000);
  expect(answer()).toBeUndefined();
  const before = passwords();
  machine.acr.refuses = false;
  const after = await live(slipway, machine, 11 * minute);
  expect(condition(after, 'Pulls')).toBe('True InSync');
  expect(answer()).toBeDefined();
  expect(passwords() - before).toBeLessThanOrEqual(1);
  expect(machine.units.starts).toBe(1);
});

test('kubelet gets no refused credential while the renewal for another registry fails', async () => {
  const away = 'away.azurecr.io';
  const machine = vm('agent', `registries: { onRotate: never, servers: [${registry}, ${away}] }\n`);
  const password = machine.cloud.registryPassword.bind(machine.cloud);
  machine.cloud.registryPassword = async (server) => {
    if (server === away) {
      throw new NodeError('RegistryForbidden', 'It is away.', forPerson);
    }
    return password(server);
  };
  const slipway = machine.slipway();
  await live(slipway, machine, 2 * minute);
  const answer = () => {
    const text = machine.host.files.text('/var/lib/slipway/logins.json') ?? '';
    return usableLogin(parseLogins(text), registry, machine.host.now());
  };
  expect(answer()).toBeDefined();
  machine.acr.refuses = true;
  machine.host.files.remove('/run/slipway/pull-proof.json');
  await live(slipway, machine, 30_000);
  expect(answer()).toBeUndefined();
});

test.each([
  ['never', 6],
  ['restart', 6],
])(
  'Slipway requests at most six credentials an hour if the registry refuses them, and does not restart K3s (onRotate %s)',
  async (onRotate, most) => {
    const machine = vm('agent', `registries: { onRotate: ${onRotate}, proof: ["${image}"] }\n`);
    machine.acr.refuses = true;
    const slipway = machine.slipway();
    await live(slipway, machine, 2 * minute);
    const passwords = () => machine.cloud.calls.filter((call) => call.startsWith('registryPassword')).length;
    const [before, { starts }] = [passwords(), machine.units];
    const report = await live(slipway, machine, hour);
    expect(condition(report, 'Pulls')).toBe('False PullCredentialRefused');
    expect(passwords() - before).toBeLessThanOrEqual(most);
    expect(machine.units.starts - starts).toBe(0);
  },
);

const theirProvider = `
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: theirs
    matchImages: ["*.azurecr.io"]
    defaultCacheDuration: 1m
    apiVersion: credentialprovider.kubelet.k8s.io/v1
`;

test.each(['auto', 'restart'])(
  "a refused credential does not restart a K3s with another tool's provider (onRotate %s)",
  async (onRotate) => {
    const machine = vm('agent', `registries: { onRotate: ${onRotate}, proof: ["${image}"] }\n`);
    const { k3s } = nodePaths('/');
    machine.host.files.write(k3s.credentialProvider, theirProvider);
    machine.host.files.write(`${k3s.credentialProviderBin}/theirs`, '#!/bin/sh\n', 0o755);
    machine.acr.refuses = true;
    const slipway = machine.slipway();
    await live(slipway, machine, 2 * minute);
    const { starts } = machine.units;
    const report = await live(slipway, machine, hour);
    expect(condition(report, 'Pulls')).toBe('False PullCredentialRefused');
    expect(machine.units.starts - starts).toBe(0);
  },
);

test('a reboot causes one more pull check, because the record of the last one is lost', async () => {
  const machine = vmWithProof();
  await live(machine.slipway(), machine, minute, isReady);
  await machine.reboot();
  const report = await live(machine.slipway(), machine, minute, isReady);
  expect(condition(report, 'Pulls')).toBe('True InSync');
  expect(machine.acr.pulls).toBe(2);
});

test('a dry run plans the pull check without a request to the registry', async () => {
  const machine = vmWithProof('server');
  await live(machine.slipway(), machine, minute, isReady);
  machine.host.files.remove('/run/slipway/pull-proof.json');
  const { length } = machine.host.journal;
  let recording: ReturnType<typeof recordingHost> | undefined;
  const slipway = machine.slipway((host) => {
    recording = recordingHost(host);
    return recording;
  });
  const report = await slipway.pass();
  expect(condition(report, 'Pulls')).toBe('Unknown Recorded');
  expect(message(report, 'Pulls')).toBe(`prove a pull of ${image}`);
  expect(recording?.journal).toEqual([
    { kind: 'send', method: 'GET', url: `https://${registry}/v2/base/alpine/manifests/3.22` },
  ]);
  expect(machine.host.journal).toHaveLength(length);
});

test('the record of the pull check, the conditions and the events contain no credential', async () => {
  const machine = vmWithProof();
  const report = await live(machine.slipway(), machine, 3 * hour);
  const record = machine.host.files.text('/run/slipway/pull-proof.json') ?? '';
  expect(record).toContain('pulled at');
  expect(`${record}${JSON.stringify([report.conditions, machine.events])}`).not.toMatch(/canary|eyJ/);
});
