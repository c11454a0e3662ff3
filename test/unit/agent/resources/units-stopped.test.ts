import { describe, expect, test } from 'vitest';
import type { CommandResult } from '../../../../src/agent/engine/host.ts';
import { unitsStopped } from '../../../../src/agent/resources/units-stopped.ts';
import { type MemoryHost, memoryHost } from '../../../lab/memory-host.ts';
import { outcome } from '../a-node.ts';

const units = ['k3s.service', 'k3s-agent.service'];

function stopped(root = '/') {
  return unitsStopped({
    id: 'Stopped/k3s',
    summary: 'stop K3s',
    condition: 'K3sRunning',
    units,
    root,
    forGood: true,
  });
}

/** Returns a machine with or without systemd, where `systemctl show` prints `answer`. */
function machine(answer: string | Partial<CommandResult>, isBooted = true): MemoryHost {
  const host = memoryHost(isBooted ? { directories: ['/run/systemd/system'] } : {});
  return host.on({ file: 'systemctl', args: /^show / }, answer);
}

function shown(path: string, active: string, enabled = ''): string {
  return `FragmentPath=${path}\nActiveState=${active}\nUnitFileState=${enabled}\n`;
}

const none = shown('', 'inactive');
const file = '/etc/systemd/system/k3s.service';
const unreachable = { exitCode: 1, stderr: 'Failed to connect to bus' };

describe('unitsStopped', () => {
  test.each([
    ['systemctl show fails', unreachable],
    ['systemctl show fails after some output', { exitCode: 1, stdout: `${none}\n${none}` }],
    ['systemctl show prints nothing', ''],
    ['systemctl show prints one of two units', none],
  ])('throws CommandFailed if %s', async (_, answer) => {
    expect(await outcome(stopped(), machine(answer))).toBe('CommandFailed (time)');
  });
});

test.each([
  ['an image', machine(unreachable), '/image'],
  ['a machine without systemd', machine(unreachable, false), '/'],
])('on %s, unitsStopped is in sync even if systemctl fails', async (_, host, root) => {
  expect(await outcome(stopped(root), host)).toBe('InSync');
});

describe('the remedy of unitsStopped', () => {
  test.each([
    ['ignores an unknown unit', none, []],
    ['stops a running unit', shown(file, 'active', 'disabled'), ['run systemctl stop k3s.service']],
    [
      'disables a unit that starts at boot',
      shown(file, 'inactive', 'enabled'),
      ['run systemctl disable --now k3s.service'],
    ],
    [
      'stops a unit that runs after its file was deleted',
      shown('', 'active'),
      ['run systemctl stop k3s.service'],
    ],
  ])('%s', async (_, first, expected) => {
    const host = machine(`${first}\n${none}`).on({ file: 'systemctl', args: /^(stop|disable) / });
    await remedy(host);
    expect(host.lines()).toEqual(expected);
  });

  test('uses separate commands to stop a unit without a file and to disable another unit', async () => {
    const agent = shown('/etc/systemd/system/k3s-agent.service', 'active', 'enabled');
    const host = machine(`${shown('', 'active')}\n${agent}`).on({
      file: 'systemctl',
      args: /^(stop|disable) /,
    });
    await remedy(host);
    expect(host.lines()).toEqual([
      'run systemctl disable --now k3s-agent.service',
      'run systemctl stop k3s.service',
    ]);
  });
});

test('the remedy of unitsStopped does not disable a transient unit, which systemctl refuses', async () => {
  const transient = shown('/run/systemd/transient/k3s-agent.service', 'active', 'transient');
  const host = machine(`${shown(file, 'active', 'enabled')}\n${transient}`).on({
    file: 'systemctl',
    args: /^(stop|disable) /,
  });
  await remedy(host);
  expect(host.lines()).toEqual([
    'run systemctl disable --now k3s.service',
    'run systemctl stop k3s-agent.service',
  ]);
});

test('unitsStopped ignores the units of the machine if its root is an image', async () => {
  for (const own of [shown(file, 'active', 'enabled'), shown('', 'active')]) {
    expect(await outcome(stopped('/image'), machine(`${own}\n${none}`))).toBe('InSync');
  }
});

async function remedy(host: MemoryHost): Promise<void> {
  const finding = await stopped().check(host);
  if (finding.state === 'Drifted') {
    await finding.drift.remedy(host);
  }
}
