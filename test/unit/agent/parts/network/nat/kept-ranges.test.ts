import { describe, expect, test } from 'vitest';
import {
  keptRanges,
  keptWithoutNat,
  natKept,
} from '../../../../../../src/agent/parts/network/nat/kept-ranges.ts';
import { renderNat } from '../../../../../../src/agent/parts/network/nat/nat-rules.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode } from '../../../a-node.ts';

const { settings, paths } = aNode('agent');
const unit = '/etc/systemd/system/slipway-nat.service';
const intact = renderNat({ from: ['10.0.2.0/24'], except: [], outside: 'ens3' });
const damaged = [
  ['is empty', ''],
  ['has spaces instead of tabs', intact.replaceAll('\t', '  ')],
] as const;

function from(ranges: readonly string[], natRemoval: readonly string[] = []) {
  const nat = { ...settings.network.nat, from: ranges };
  return { network: { ...settings.network, nat }, consent: { ...settings.consent, natRemoval } };
}

describe('without a range in network.nat.from', () => {
  test.each(damaged)('NAT is kept for unknown ranges if its rules file %s', async (_, text) => {
    for (const files of [{ [paths.slipway.nat]: text }, { [paths.slipway.nat]: text, [unit]: '' }]) {
      const host = memoryHost({ files });
      expect(await keptWithoutNat(host, from([]), paths)).toEqual(['all']);
      expect(await keptWithoutNat(host, from([], ['all']), paths)).toEqual([]);
    }
    expect(natKept(from([]), ['all']).message).toContain('consent: { natRemoval: [all] }');
  });

  test('NAT is not kept on a node that has neither its rules file nor its unit', async () => {
    expect(await keptWithoutNat(memoryHost(), from([]), paths)).toEqual([]);
  });
});

describe('with a range in network.nat.from', () => {
  const other = from(['10.0.3.0/24']);

  test.each<readonly [string, string | undefined]>([...damaged, ['is missing', undefined]])(
    'NAT is kept for the ranges in the kernel if the rules file %s',
    async (_, text) => {
      const files = {
        [unit]: '',
        '/usr/sbin/nft': '',
        ...(text !== undefined && { [paths.slipway.nat]: text }),
      };
      const host = memoryHost({ files }).on({ file: 'systemd-run' }, intact);
      expect(await keptRanges(host, other, paths)).toEqual(['10.0.2.0/24']);
    },
  );

  test('NAT is kept for the ranges in the kernel if the rules file lacks its end', async () => {
    const whole = renderNat({ from: ['10.0.2.0/24', '10.0.4.0/24'], except: [], outside: 'ens3' });
    const [cut = ''] = whole.split('\t\tip saddr 10.0.4.0/24');
    const host = memoryHost({ files: { '/usr/sbin/nft': '', [paths.slipway.nat]: cut } });
    host.on({ file: 'systemd-run' }, whole);
    expect(await keptRanges(host, other, paths)).toEqual(['10.0.2.0/24', '10.0.4.0/24']);
    expect(await keptWithoutNat(host, from([]), paths)).toEqual(['10.0.2.0/24', '10.0.4.0/24']);
  });

  test('a range is not kept if one of the wanted ranges contains it', async () => {
    const host = memoryHost({ files: { [paths.slipway.nat]: intact } });
    expect(await keptRanges(host, from(['10.0.3.0/24', '10.0.0.0/16']), paths)).toEqual([]);
  });

  test('no range is kept if the rules file is empty and nft is not installed', async () => {
    const host = memoryHost({ files: { [paths.slipway.nat]: '', [unit]: '' } });
    expect(await keptRanges(host, other, paths)).toEqual([]);
  });
});

test.each<[served: string, wanted: string, kept: readonly string[]]>([
  ['10.0.2.0/24', '10.0.0.0/16', []],
  ['10.0.2.0/24', '10.0.2.9/24', []],
  ['10.1.2.0/24', '10.0.0.0/16', ['10.1.2.0/24']],
  ['10.0.0.0/16', '10.0.2.0/24', ['10.0.0.0/16']],
  ['10.0.2.7', '10.0.2.0/24', []],
])(
  'for the served range %s and network.nat.from [%s], keptRanges returns %j',
  async (served, wanted, kept) => {
    const text = renderNat({ from: [served], except: [], outside: 'ens3' });
    const host = memoryHost({ files: { [paths.slipway.nat]: text } });
    expect(await keptRanges(host, from([wanted]), paths)).toEqual(kept);
  },
);
