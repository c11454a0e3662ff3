import { describe, expect, test } from 'vitest';
import { natRemoved, natUnlessWanted } from '../../../../../../src/agent/parts/network/nat/nat-removed.ts';
import { renderNat } from '../../../../../../src/agent/parts/network/nat/nat-rules.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { outcome, settle, someSettings } from '../../../a-node.ts';

const paths = nodePaths('/');
const unit = '/etc/systemd/system/slipway-nat.service';
const sysctl = '/etc/sysctl.d/99-z-slipway-nat.conf';
const rules = '/etc/slipway/nat.nft';
const range = '10.0.2.0/24';
const text = renderNat({ from: [range], except: [], outside: 'ens3' });

function settings(from: readonly string[], natRemoval: readonly string[] = []) {
  const { network, consent } = someSettings();
  return {
    network: { ...network, nat: { ...network.nat, from } },
    consent: { ...consent, natRemoval },
  };
}

/**
 * Returns a machine with NAT for a range. Disabling the unit and deleting the table take effect, as on a real machine.
 */
function forwarding() {
  const host = memoryHost({ files: { [unit]: '', [sysctl]: '', [rules]: text, '/usr/sbin/nft': '' } });
  let isActive = true;
  let isLoaded = true;
  return host
    .on({ file: 'systemctl' }, ({ args }) => {
      isActive &&= args[0] !== 'disable';
      return `ActiveState=${isActive ? 'active' : 'inactive'}\nUnitFileState=disabled\n`;
    })
    .on({ file: 'systemd-run' }, ({ args }) => {
      if (args.includes('delete')) {
        isLoaded = false;
        return '';
      }
      return isLoaded ? text : { exitCode: 1, stderr: 'Error: No such file or directory' };
    });
}

describe('natRemoved', () => {
  const removed = natRemoved(paths);

  test('stops the unit, deletes the table, and removes the files, the rules last', async () => {
    const host = forwarding();
    expect(await settle(removed, host)).toEqual([
      'Drifted slipway-nat.service',
      'Drifted ip slipway_nat',
      'Drifted files',
      'InSync',
    ]);
    expect(host.lines().map((line) => line.replace(/systemd-run .* nft/, 'nft'))).toEqual([
      'run systemctl disable --now slipway-nat.service',
      expect.stringMatching(/nft delete table ip slipway_nat$/),
      `remove ${unit}`,
      `remove ${sysctl}`,
      `remove ${rules}`,
      'run systemctl daemon-reload',
    ]);
  });

  test('reports to the condition System, because nodes without NAT have no condition Nat', () => {
    expect(removed).toMatchObject({ id: 'Nat/none', condition: 'System' });
  });

  test('is in sync on a machine without NAT, and runs no command', async () => {
    expect(await outcome(removed, memoryHost())).toBe('InSync');
  });
});

describe('natUnlessWanted', () => {
  function only(given = settings([])) {
    const [resource, ...others] = natUnlessWanted(given, paths);
    expect(others).toEqual([]);
    if (resource === undefined) {
      throw new Error('there is no Resource');
    }
    return resource;
  }

  test('has no Resource if the settings name a range, or below another root', () => {
    expect(natUnlessWanted(settings([range]), paths)).toEqual([]);
    expect(natUnlessWanted(settings([]), nodePaths('/tmp/lab'))).toEqual([]);
  });

  test('keeps NAT without consent to the removal of its range, and names the consent', async () => {
    const host = forwarding();
    await expect(only().check(host)).rejects.toMatchObject({
      reason: 'NatKept',
      blocks: false,
      message: expect.stringContaining('consent: { natRemoval: [10.0.2.0/24] }'),
    });
    expect(await outcome(only(settings([], ['10.0.9.0/24'])), host)).toMatch(/^NatKept/);
    expect(host.lines()).toEqual([]);
  });

  test('removes NAT with consent, without blocking a dependant', async () => {
    const host = forwarding();
    expect((await settle(only(settings([], [range])), host)).slice(0, 2)).toEqual([
      'Drifted (non-blocking) slipway-nat.service',
      'Drifted (non-blocking) ip slipway_nat',
    ]);
    expect([unit, sysctl, rules].map((path) => host.files.stat(path))).toEqual(Array(3).fill(undefined));
  });

  test('is in sync on a machine without NAT', async () => {
    expect(await outcome(only(), memoryHost())).toBe('InSync');
  });
});
