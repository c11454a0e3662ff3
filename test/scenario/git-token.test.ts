import { describe, expect, test } from 'vitest';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { recordingHost } from '../../src/agent/host/recording/recording-host.ts';
import { writeFluxSecret } from '../lab/standins/flux-secret.ts';
import { updatedBy } from '../lab/standins/k3s-apply.ts';
import { booted, condition, live, noRestarts, type Vm } from './a-vm.ts';
import { editFlux } from './cluster.ts';
import { gitToken } from './world.ts';

const minute = 60_000;

/** Returns the values of Flux's Git Secret. */
function valuesOf({ kubernetes }: Vm): Readonly<Record<string, string>> {
  const { data } = Object(kubernetes.objects.get('secrets', 'flux-system', 'flux-system'));
  return Object.fromEntries(
    Object.entries<string>(Object(data)).map(([key, value]) => [
      key,
      Buffer.from(value, 'base64').toString(),
    ]),
  );
}

function bootstraps({ host }: Vm): number {
  return host.lines().filter((line) => line.includes('flux bootstrap')).length;
}

describe("Flux's Git token", () => {
  test.each([
    ['shows versions', true],
    ['shows no versions', false],
  ])(
    'reaches the cluster within workloads.verifyEvery after a renewal, without a bootstrap, if the vault %s',
    async (_, shows) => {
      const { machine, slipway } = await booted('server');
      machine.cloud.showsVersions = shows;
      await live(slipway, machine, 11 * minute);
      expect(valuesOf(machine)).toEqual({ username: 'git', password: gitToken });
      machine.cloud.secrets.set('flux-git-token', 'a new token');
      const report = await live(slipway, machine, 11 * minute);
      expect(valuesOf(machine)).toEqual({ username: 'git', password: 'a new token' });
      expect(condition(report, 'GitOps')).toBe('True InSync');
      expect([bootstraps(machine), machine.units.starts]).toEqual([1, 1]);
    },
  );

  test('is not read again while its version in the vault stays the same', async () => {
    const { machine, slipway } = await booted('server');
    const reads = () => machine.cloud.calls.filter((call) => call === 'secret flux-git-token').length;
    const before = reads();
    await live(slipway, machine, 60 * minute);
    expect(reads()).toBe(before);
  });

  test('is replaced if the cluster has another token', async () => {
    const { machine, slipway } = await booted('server');
    writeFluxSecret(machine.kubernetes.objects, { username: 'git', password: 'by hand' });
    await live(slipway, machine, 11 * minute);
    expect(valuesOf(machine).password).toBe(gitToken);
  });

  test('is not replaced if the repository manages it, and the condition names kustomize-controller', async () => {
    const { machine, slipway } = await booted('server');
    const { objects } = machine.kubernetes;
    const metadata = { name: 'flux-system', namespace: 'flux-system' };
    const data = { password: Buffer.from('from the repository').toString('base64') };
    const found = objects.get('secrets', 'flux-system', 'flux-system');
    const changes = { apiVersion: 'v1', kind: 'Secret', metadata, data };
    objects.put('secrets', 'flux-system', updatedBy('kustomize-controller', found, changes));
    const report = await live(slipway, machine, 11 * minute);
    expect(condition(report, 'GitOps')).toBe('False SecretOwned');
    expect(report.conditions.find(({ type }) => type === 'GitOps')?.message).toContain(
      '"kustomize-controller"',
    );
    expect(valuesOf(machine).password).toBe('from the repository');
    expect(condition(report, 'NodeReady')).toBe('True InSync');
  });

  test('keeps its value if the value in the vault becomes empty', async () => {
    const { machine, slipway } = await booted('server');
    machine.cloud.secrets.set('flux-git-token', ' \n');
    const report = await live(slipway, machine, 11 * minute);
    expect(condition(report, 'GitOps')).toBe('False SecretEmpty');
    expect(valuesOf(machine).password).toBe(gitToken);
  });

  test.each([
    ['uses a deploy key', { url: 'ssh://git@github.com/team/fleet' }],
    ['uses another Secret', { url: 'https://github.com/team/fleet', secretRef: { name: 'other' } }],
    ['logs in as a GitHub App', { url: 'https://github.com/team/fleet', provider: 'github' }],
    ['follows another repository', { url: 'https://git.other.test/team/fleet' }],
  ])('is not written if Flux %s', async (_, spec) => {
    const { machine, slipway } = await booted('server');
    editFlux(machine, 'source', spec);
    machine.cloud.secrets.set('flux-git-token', 'a new token');
    await live(slipway, machine, 11 * minute);
    expect(valuesOf(machine).password).toBe(gitToken);
  });

  test('is not written with tokenAuth: false', async () => {
    const { machine, slipway } = await booted(
      'server',
      `${noRestarts}gitops: { flux: { tokenAuth: false } }\n`,
    );
    machine.cloud.secrets.set('flux-git-token', 'a new token');
    await live(slipway, machine, 11 * minute);
    expect(valuesOf(machine).password).toBe(gitToken);
  });

  test('that the vault does not return leaves Flux and the node running', async () => {
    const { machine, slipway } = await booted('server');
    machine.cloud.secrets.delete('flux-git-token');
    machine.kubernetes.objects.remove('secrets', 'flux-system', 'flux-system');
    const report = await live(slipway, machine, 11 * minute);
    expect(condition(report, 'GitOps')).toMatch(/SecretNotFound|SecretNotVisible/);
    expect(condition(report, 'NodeReady')).toBe('True InSync');
  });

  test('is shown neither in the journal, nor by a plan that would write it', async () => {
    const { machine, slipway } = await booted('server');
    const report = await live(slipway, machine, minute);
    machine.kubernetes.objects.remove('secrets', 'flux-system', 'flux-system');
    const recorder: { journal?: readonly object[] } = {};
    await machine
      .slipway((host) => {
        const recording = recordingHost(host);
        recorder.journal = recording.journal;
        return recording;
      })
      .pass();
    expect(JSON.stringify(recorder.journal)).toContain('/namespaces/flux-system/secrets/flux-system');
    const shown = JSON.stringify([machine.events, report, machine.host.journal, recorder.journal]);
    expect(shown).not.toContain(gitToken);
    expect(shown).not.toContain(Buffer.from(gitToken).toString('base64'));
  });
});

test('an API that does not answer requests for the Git Secret leaves the node Ready', async () => {
  const { machine, slipway } = await booted('server');
  machine.host.onRequest(
    { url: (url) => url.includes('/flux-system/secrets') },
    () => new NodeError('Unreachable', 'connect ECONNREFUSED'),
  );
  const report = await live(slipway, machine, 30 * minute);
  expect(condition(report, 'GitOps')).toBe('False ApiUnavailable');
  expect(condition(report, 'NodeReady')).toBe('True InSync');
});
