import { describe, expect, test } from 'vitest';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { booted, condition, live } from './a-vm.ts';

const hour = 3_600_000;

function isPeer(look: string): boolean {
  return look.startsWith('certificate of ');
}

/** Returns a node that was Ready for an hour, and the questions of its next pass. */
async function steadyPass(role: 'server' | 'agent') {
  const { machine, slipway } = await booted(role);
  await live(slipway, machine, hour);
  machine.host.looks.length = 0;
  await slipway.pass();
  return { machine, slipway, looks: [...machine.host.looks] };
}

describe.each([
  ['server', 'k3s.service'],
  ['agent', 'k3s-agent.service'],
] as const)('a pass of a steady %s', (role, unit) => {
  test('reads the certificates of K3s again only if their files have changed, and that of the port at most hourly', async () => {
    const { machine, slipway, looks } = await steadyPass(role);
    const read: string[] = [];
    const { readFile } = machine.host;
    machine.host.readFile = (path) => {
      read.push(path);
      return readFile.call(machine.host, path);
    };
    await slipway.pass();
    await slipway.pass();
    expect(read.filter((path) => path.endsWith('.crt') && path.includes('/tls/'))).toEqual([]);
    expect([...looks, ...machine.host.looks.slice(looks.length)].filter(isPeer).length).toBeLessThanOrEqual(
      1,
    );
  });

  test('asks no question twice', async () => {
    const { looks } = await steadyPass(role);
    expect(looks).toEqual([...new Set(looks)]);
  });

  test('starts one child process to look at units, and one for the guard of the metadata service', async () => {
    const { looks } = await steadyPass(role);
    const commands = looks.filter((look) => !/^(https:|certificate of )/.test(look));
    expect(commands.map((line) => line.replace(/ -p .*| --quiet .*/, ''))).toEqual([
      `systemctl show slipway-imds-guard.service ${unit} refresh-acr-credentials.service`,
      'systemd-run',
    ]);
  });

  test('asks a silent Kubernetes API only one question', async () => {
    const { machine, slipway } = await steadyPass(role);
    const asked: string[] = [];
    machine.host.onRequest({ url: /^https:\/\/127\.0\.0\.1:6443\// }, ({ url }) => {
      asked.push(url);
      return new NodeError('TimedOut', 'no answer within 10 s');
    });
    const report = await slipway.pass();
    expect(condition(report, 'NodeReady')).toBe('Unknown ApiUnavailable');
    expect(asked).toEqual([expect.stringContaining('/api/v1/nodes/')]);
  });
});
