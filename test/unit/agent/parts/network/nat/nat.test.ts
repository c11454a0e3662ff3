import { describe, expect, test } from 'vitest';
import type { Resource } from '../../../../../../src/agent/engine/resource.ts';
import { nat } from '../../../../../../src/agent/parts/network/nat/nat.ts';
import { renderNat } from '../../../../../../src/agent/parts/network/nat/nat-rules.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import { type MemoryHost, memoryHost, type StartFile } from '../../../../../lab/memory-host.ts';
import { outcome, settle, someSettings } from '../../../a-node.ts';

const paths = nodePaths('/');
const rulesFile = '/etc/slipway/nat.nft';
const forwardingFile = '/proc/sys/net/ipv4/ip_forward';
const range = '10.0.2.0/24';
const routes = { '/proc/net/route': routeOf('ens3') };

function routeOf(name: string): string {
  return `Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n${name}\t00000000\t0101000A\t0003\t0\t0\t100\t00000000\n`;
}

function settings(changes: object = {}, natRemoval: readonly string[] = []) {
  const { network, consent } = someSettings();
  return {
    network: { ...network, nat: { from: [range], except: ['10.0.0.0/16'], ...changes } },
    consent: { ...consent, natRemoval },
  };
}

/** Returns the Resource with this id; throws an Error if no Resource has it. */
function resource(id: string, given = settings()): Resource {
  const found = nat(given, paths).find((each) => each.id === id);
  if (found === undefined) {
    throw new Error(`there is no ${id}`);
  }
  return found;
}

function rendered(outside: string, from: readonly string[] = [range]): string {
  return renderNat({ from, except: ['10.0.0.0/16'], outside });
}

describe('nat', () => {
  test('writes the files, loads and enables the unit, loads the rules, and then judges the ranges', () => {
    const resources = nat(settings(), paths);
    expect(resources.map(({ id, needs = [] }) => [id, ...needs])).toEqual([
      [`File/${rulesFile}`],
      ['File//etc/sysctl.d/99-z-slipway-nat.conf'],
      ['File//etc/systemd/system/slipway-nat.service', `File/${rulesFile}`],
      ['UnitLoaded/slipway-nat.service', 'File//etc/systemd/system/slipway-nat.service'],
      ['UnitEnabled/slipway-nat.service', 'UnitLoaded/slipway-nat.service'],
      ['Nat/rules', 'UnitLoaded/slipway-nat.service'],
      ['Nat/ranges', `File/${rulesFile}`],
    ]);
    expect(new Set(resources.map(({ condition }) => condition))).toEqual(new Set(['Nat']));
  });

  test('has no Resources without a range, or below another root', () => {
    expect(nat(settings({ from: [] }), paths)).toEqual([]);
    expect(nat(settings(), nodePaths('/tmp/lab'))).toEqual([]);
  });

  test('blocks no dependant if the unit of NAT is masked', async () => {
    const host = memoryHost({ files: routes }).on({ file: 'systemctl' }, 'LoadState=masked\n');
    for (const each of nat(settings(), paths)) {
      expect(await outcome(each, host), each.id).toMatch(/^InSync$|non-blocking/);
    }
  });
});

describe('the outside interface of NAT', () => {
  const before = { [rulesFile]: rendered('wg0') };

  test.each<[string, object, Readonly<Record<string, StartFile>>, string]>([
    ['the settings, before the default route', { interface: 'eth7' }, { ...routes, ...before }, 'eth7'],
    ['the default route, before the previous rules', {}, { ...routes, ...before }, 'ens3'],
    ['the previous rules while there is no default route', {}, before, 'wg0'],
  ])('comes from %s', async (_what, changes, files, outside) => {
    const host = memoryHost({ files });
    await settle(resource(`File/${rulesFile}`, settings(changes)), host);
    expect(host.files.text(rulesFile)).toBe(rendered(outside));
  });

  test('is awaited while neither settings nor routes nor rules name it', async () => {
    for (const id of [`File/${rulesFile}`, 'Nat/rules']) {
      expect(await outcome(resource(id), memoryHost())).toBe('NatFailed (time, non-blocking)');
    }
  });
});

describe('the rules in the kernel', () => {
  function kernel(list: string, forwards: string, text = rendered('ens3')): MemoryHost {
    const files = { ...routes, '/usr/sbin/nft': '', [rulesFile]: text, [forwardingFile]: forwards };
    return memoryHost({ files })
      .on({ file: 'systemctl' }, 'ActiveState=active\nLoadState=loaded\n')
      .on({ file: 'systemd-run' }, list);
  }

  test('are in sync while they and forwarding are on, and are checked again within a minute', async () => {
    const host = kernel(rendered('ens3'), '1\n');
    expect(await resource('Nat/rules').check(host)).toEqual({
      state: 'InSync',
      message: '10.0.2.0/24 reach the outside through ens3',
      until: host.now() + 60_000,
    });
  });

  test.each([
    ['rules for another interface', rendered('enp0s6'), '1\n', 'rules'],
    ['no rules', '', '1\n', 'rules'],
    ['forwarding turned off', rendered('ens3'), '0\n', 'forwarding'],
    ['no rules and no forwarding', '', '', 'rules, forwarding'],
  ])('have drifted with %s, and are loaded again by the unit', async (_what, list, forwards, fields) => {
    const host = kernel(list, forwards);
    expect(await outcome(resource('Nat/rules'), host)).toBe(`Drifted (non-blocking) ${fields}`);
    await settle(resource('Nat/rules'), host, 1);
    expect(host.lines()).toEqual(['run systemctl reload-or-restart slipway-nat.service']);
  });

  test('serve the ranges that the settings no longer name', async () => {
    const text = rendered('ens3', ['10.0.3.0/24', range]);
    const given = settings({ from: ['10.0.3.0/24'] });
    const host = kernel(text, '1\n', text);
    expect(await resource('Nat/rules', given).check(host)).toMatchObject({
      state: 'InSync',
      message: '10.0.3.0/24, 10.0.2.0/24 reach the outside through ens3',
    });
    expect(await outcome(resource(`File/${rulesFile}`, given), host)).toBe('InSync');
  });
});

describe('the ranges of NAT', () => {
  const host = memoryHost({ files: { [rulesFile]: rendered('ens3') } });

  test('are in sync if the settings name all that the rules serve', async () => {
    expect(await outcome(resource('Nat/ranges'), host)).toBe('InSync');
  });

  test('are reported as NatKept until the settings consent to the removal of the former range', async () => {
    const other = { from: ['10.0.3.0/24'] };
    const kept = resource('Nat/ranges', settings(other));
    await expect(kept.check(host)).rejects.toMatchObject({
      reason: 'NatKept',
      blocks: false,
      message: expect.stringContaining('consent: { natRemoval: [10.0.2.0/24] }'),
    });
    expect(await outcome(resource('Nat/ranges', settings(other, [range])), host)).toBe('InSync');
  });
});
