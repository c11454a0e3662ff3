import { expect, test } from 'vitest';
import { digest } from '../../src/agent/engine/digest.ts';
import { parseLogins } from '../../src/agent/parts/registry/answer/logins.ts';
import { booted, condition, live, registry, type Vm } from './a-vm.ts';

const minute = 60_000;
const store = '/var/lib/slipway/logins.json';
const cache = '/run/slipway/registry-logins.json';
const yaml = '/etc/rancher/k3s/registries.yaml';

function logins({ host }: Vm) {
  return parseLogins(host.files.text(store) ?? '');
}

/**
 * Replaces the login store with the files of an earlier release: receipts in comments of registries.yaml, and a cache
 * in /run.
 */
function former(machine: Vm): void {
  const { files } = machine.host;
  const found = Object.entries(logins(machine));
  const notes = found.map(
    ([server, { password, receivedAt }]) =>
      `# ${server}: received ${new Date(receivedAt).toISOString()} ${digest(password)}\n`,
  );
  files.write(yaml, `${files.text(yaml)}${notes.join('')}`, 0o600);
  const cached = found.map(([server, { until = 0, ...login }]) => [
    server,
    { ...login, usableUntil: until - 5 * minute },
  ]);
  files.write(cache, JSON.stringify(Object.fromEntries(cached)), 0o600);
  files.remove(store);
}

test.each(['never', 'auto', 'restart'])(
  'an update from a release without a login store fetches no login and does not restart K3s (onRotate %s)',
  async (onRotate) => {
    const { machine } = await booted('agent', `registries: { onRotate: ${onRotate} }\n`);
    const [before, { starts }, asked] = [logins(machine), machine.units, machine.cloud.calls.length];
    former(machine);
    const report = await live(machine.slipway(), machine, 10 * minute);
    expect(condition(report, 'Registries')).toBe('True InSync');
    expect(machine.cloud.calls.slice(asked)).not.toContain(`registryPassword ${registry}`);
    expect(machine.units.starts).toBe(starts);
    expect(logins(machine)).toEqual(before);
    expect(machine.host.files.text(yaml)).not.toContain('received');
    expect(machine.host.files.stat(cache)).toBeUndefined();
  },
);

test('a crash in the first pass after an update from a release without a login store loses no login', async () => {
  for (let mutation = 1; mutation <= 3; mutation += 1) {
    const { machine } = await booted('agent');
    const [before, asked] = [logins(machine), machine.cloud.calls.length];
    former(machine);
    machine.host.restart();
    machine.host.crashBefore(mutation);
    await live(machine.slipway(), machine, minute).catch(() => undefined);
    expect(machine.host.crashed).toBe(true);
    machine.host.restart();
    await live(machine.slipway(), machine, minute);
    expect(logins(machine)).toEqual(before);
    expect(machine.cloud.calls.slice(asked)).not.toContain(`registryPassword ${registry}`);
  }
});
