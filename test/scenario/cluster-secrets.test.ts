import { describe, expect, test } from 'vitest';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { recordingHost } from '../../src/agent/host/recording/recording-host.ts';
import { updatedBy } from '../lab/standins/k3s-apply.ts';
import { booted, condition, live, noRestarts, type Vm } from './a-vm.ts';
import { workloadTokens } from './world.ts';

const minute = 60_000;
const cloudflare = { namespace: 'cert-manager', name: 'cloudflare' };
const without = (names: string) => `workloads: { secrets: { ${names}: null } }\n`;

/** Returns the values of a Secret in the cluster; `undefined` if it does not exist. */
function valuesOf({ kubernetes }: Vm, { namespace, name } = cloudflare): object | undefined {
  const found = kubernetes.objects.get('secrets', namespace, name);
  const values = Object.entries<string>(Object(found?.data));
  return (
    found && Object.fromEntries(values.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
  );
}

/** Writes values to the Secret as the program `manager` would. */
function write({ kubernetes }: Vm, manager: string, values: Readonly<Record<string, string>>): void {
  const { namespace, name } = cloudflare;
  const data = Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  const object = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    data: Object.fromEntries(data),
  };
  const live = kubernetes.objects.get('secrets', namespace, name);
  kubernetes.objects.put('secrets', namespace, updatedBy(manager, live, object));
}

describe('a Secret in workloads.secrets', () => {
  test('is created with its namespace before the bootstrap of Flux', async () => {
    const { machine } = await booted('server');
    expect(valuesOf(machine)).toEqual({
      'api-token': workloadTokens['cloudflare-token'],
      email: 'team@example.com',
    });
    expect(machine.kubernetes.objects.get('namespaces', undefined, 'cert-manager')).toBeDefined();
    const lines = machine.host.lines();
    const applied = lines.findIndex((line) => line.includes('/secrets/cloudflare'));
    expect(applied).toBeGreaterThan(0);
    expect(applied).toBeLessThan(lines.findIndex((line) => line.includes('flux bootstrap')));
  });

  test('with a login for a registry has the type dockerconfigjson', async () => {
    const { machine } = await booted('server');
    const regcred = { namespace: 'default', name: 'regcred' };
    const password = workloadTokens['ghcr-token'];
    const auth = Buffer.from(`team:${password}`).toString('base64');
    expect(machine.kubernetes.objects.get('secrets', 'default', 'regcred')?.type).toBe(
      'kubernetes.io/dockerconfigjson',
    );
    expect(valuesOf(machine, regcred)).toEqual({
      '.dockerconfigjson': JSON.stringify({ auths: { 'ghcr.io': { username: 'team', password, auth } } }),
    });
  });

  test.each([
    ['shows versions', true],
    ['shows no versions', false],
  ])(
    'gets a new value within workloads.verifyEvery without a restart of K3s, if the vault %s',
    async (_, shows) => {
      const { machine, slipway } = await booted('server');
      machine.cloud.showsVersions = shows;
      await live(slipway, machine, 11 * minute);
      machine.cloud.secrets.set('cloudflare-token', 'a new token');
      await live(slipway, machine, 11 * minute);
      expect(valuesOf(machine)).toMatchObject({ 'api-token': 'a new token' });
      expect(machine.units.starts).toBe(1);
    },
  );

  test('is not read again while the vault shows an unchanged version', async () => {
    const { machine, slipway } = await booted('server');
    const reads = () => machine.cloud.calls.filter((call) => call === 'secret cloudflare-token').length;
    const before = reads();
    await live(slipway, machine, 60 * minute);
    expect(reads()).toBe(before);
  });

  test.each([
    ['owns the key before Slipway', 'external-secrets'],
    ['changes the key', 'kubectl-edit'],
  ])('is not changed if another program %s, and the condition names that program', async (how, manager) => {
    const { machine, slipway } = await booted(
      'server',
      `${noRestarts}${how.startsWith('owns') ? without('cert-manager/cloudflare') : ''}`,
    );
    write(machine, manager, { 'api-token': 'theirs' });
    if (how.startsWith('owns')) {
      machine.host.files.write('/etc/slipway/config.d/extra.yaml', noRestarts);
    }
    const report = await live(slipway, machine, 11 * minute);
    expect(condition(report, 'Secrets')).toBe('False SecretOwned');
    expect(report.conditions.find(({ type }) => type === 'Secrets')?.message).toContain(`"${manager}"`);
    expect(valuesOf(machine)).toMatchObject({ 'api-token': 'theirs' });
    expect(condition(report, 'GitOps')).toBe('True InSync');
  });

  test('keeps its value if the value in the vault becomes empty', async () => {
    const { machine, slipway } = await booted('server');
    machine.cloud.secrets.set('cloudflare-token', ' \n');
    const report = await live(slipway, machine, 11 * minute);
    expect(condition(report, 'Secrets')).toBe('False SecretEmpty');
    expect(valuesOf(machine)).toMatchObject({ 'api-token': workloadTokens['cloudflare-token'] });
  });

  test('keeps the keys that other programs own', async () => {
    const { machine, slipway } = await booted('server');
    write(machine, 'external-secrets', { another: 'theirs' });
    machine.cloud.secrets.set('cloudflare-token', 'a new token');
    await live(slipway, machine, 11 * minute);
    expect(valuesOf(machine)).toMatchObject({ 'api-token': 'a new token', another: 'theirs' });
  });

  test('that was deleted is created again', async () => {
    const { machine, slipway } = await booted('server');
    machine.kubernetes.objects.remove('secrets', 'cert-manager', 'cloudflare');
    await live(slipway, machine, 11 * minute);
    expect(valuesOf(machine)).toBeDefined();
  });

  test('that the settings no longer name stays until consent.secretRemoval names it', async () => {
    const { machine, slipway } = await booted('server');
    const settings = (more: string) =>
      machine.host.files.write(
        '/etc/slipway/config.d/extra.yaml',
        `${noRestarts}${without('cert-manager/cloudflare')}${more}`,
      );
    settings('');
    const report = await live(slipway, machine, 11 * minute);
    expect(condition(report, 'Secrets')).toBe('False SecretLeft');
    expect(report.conditions.find(({ type }) => type === 'Secrets')?.message).toContain(
      'consent: { secretRemoval: [cert-manager/cloudflare] }',
    );
    expect(valuesOf(machine)).toBeDefined();
    settings('consent: { secretRemoval: [cert-manager/cloudflare] }\n');
    const after = await live(slipway, machine, 11 * minute);
    expect(condition(after, 'Secrets')).toBe('True InSync');
    expect(valuesOf(machine)).toBeUndefined();
    expect(valuesOf(machine, { namespace: 'default', name: 'regcred' })).toBeDefined();
  });

  test('that the vault does not return blocks neither the other Secrets nor GitOps', async () => {
    const { machine, slipway } = await booted('server');
    machine.cloud.secrets.delete('ghcr-token');
    machine.cloud.secrets.set('cloudflare-token', 'a new token');
    machine.kubernetes.objects.remove('secrets', 'default', 'regcred');
    const report = await live(slipway, machine, 11 * minute);
    expect(condition(report, 'Secrets')).toMatch(/SecretNotFound|SecretNotVisible/);
    expect(valuesOf(machine)).toMatchObject({ 'api-token': 'a new token' });
    expect(condition(report, 'GitOps')).toBe('True InSync');
  });
});

test('no event, condition or journal entry contains a value of a Secret', async () => {
  const { machine, slipway } = await booted('server');
  const report = await live(slipway, machine, 11 * minute);
  const shown = JSON.stringify([machine.events, report, machine.host.journal]);
  for (const token of Object.values(workloadTokens)) {
    expect(shown).not.toContain(token);
    expect(shown).not.toContain(Buffer.from(token).toString('base64'));
  }
});

test('the plan shows a missing Secret without its value, and does not read the value', async () => {
  const { machine } = await booted('server');
  machine.kubernetes.objects.remove('secrets', 'cert-manager', 'cloudflare');
  const calls = machine.cloud.calls.length;
  const recorder: { journal?: readonly object[] } = {};
  await machine
    .slipway((host) => {
      const recording = recordingHost(host);
      recorder.journal = recording.journal;
      return recording;
    })
    .pass();
  const shown = JSON.stringify(recorder.journal);
  expect(shown).toContain('/api/v1/namespaces/cert-manager/secrets/cloudflare');
  expect(shown).not.toContain(workloadTokens['cloudflare-token']);
  expect(machine.cloud.calls.slice(calls).filter((call) => call.includes('cloudflare-token'))).toEqual([]);
});

test('an API that does not answer requests for Secrets makes the condition Secrets False, and the node stays Ready', async () => {
  const { machine, slipway } = await booted('server');
  const refusal = new NodeError('Unreachable', 'connect ECONNREFUSED');
  machine.host.onRequest({ url: (url) => url.includes('/secrets') }, () => refusal);
  const report = await live(slipway, machine, 30 * minute);
  expect(condition(report, 'Secrets')).toBe('False ApiUnavailable');
  expect(condition(report, 'NodeReady')).toBe('True InSync');
});
