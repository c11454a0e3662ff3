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

/** A machine with or without systemd, and its output of `systemctl show`. */
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

describe('a unit with an unknown state is not stopped', () => {
  test.each([
    ['systemctl show fails', unreachable],
    ['it fails after some output', { exitCode: 1, stdout: `${none}\n${none}` }],
    ['it prints nothing', ''],
    ['it prints one of two units', none],
  ])('where %s', async (_, answer) => {
    expect(await outcome(stopped(), machine(answer))).toBe('CommandFailed (time)');
  });
});

test.each([
  ['an image', machine(unreachable), '/image'],
  ['a machine without systemd', machine(unreachable, false), '/'],
])('in %s no unit runs', async (_, host, root) => {
  expect(await outcome(stopped(root), host)).toBe('InSync');
});

describe('is stopped', () => {
  test.each([
    ['an unknown unit', none, []],
    ['a running unit', shown(file, 'active', 'disabled'), ['run systemctl stop k3s.service']],
    [
      'a unit that starts at boot',
      shown(file, 'inactive', 'enabled'),
      ['run systemctl disable --now k3s.service'],
    ],
    ['a unit that runs after its file was deleted', shown('', 'active'), ['run systemctl stop k3s.service']],
  ])('%s', async (_, first, expected) => {
    const host = machine(`${first}\n${none}`).on({ file: 'systemctl', args: /^(stop|disable) / });
    await remedy(host);
    expect(host.lines()).toEqual(expected);
  });

  test('a unit whose file was deleted, beside one that starts at boot', async () => {
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

test('the units of the machine are never those of an image', async () => {
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
