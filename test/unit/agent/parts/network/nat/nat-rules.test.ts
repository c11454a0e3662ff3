import { describe, expect, test } from 'vitest';
import {
  listedNat,
  natName,
  rangesIn,
  renderNat,
} from '../../../../../../src/agent/parts/network/nat/nat-rules.ts';

const rules = { from: ['10.0.2.0/24', '10.0.3.9/24'], except: ['10.0.0.0/16'], outside: 'ens3' };

test('renderNat replaces the table of NAT in one step, and changes no other table', () => {
  expect(renderNat(rules)).toBe(`\
# Written by Slipway: private hosts that reach the outside through this one.
table ip slipway_nat
delete table ip slipway_nat
table ip slipway_nat {
	chain postrouting {
		type nat hook postrouting priority 100; policy accept;
		oifname != "ens3" return
		ip daddr 10.0.2.0/24 return
		ip daddr 10.0.3.0/24 return
		ip daddr 10.0.0.0/16 return
		ip saddr 10.0.2.0/24 masquerade
		ip saddr 10.0.3.0/24 masquerade
	}
}
`);
});

test('rangesIn returns the private ranges of a file that renderNat rendered', () => {
  expect(rangesIn(renderNat(rules))).toEqual(['10.0.2.0/24', '10.0.3.0/24']);
});

describe('listedNat', () => {
  const list = renderNat(rules)
    .replace(/^.*\n.*\n.*\n/, '')
    .replace('priority 100', 'priority srcnat');

  test('returns the name of the wanted rules if nft lists exactly these rules', () => {
    expect(listedNat(list)).toBe(natName(rules));
  });

  test.each([
    ['without a range', list.replace(/.*10\.0\.3\.0\/24 masquerade\n/, '')],
    ['with an additional rule', list.replace('\t\toifname', '\t\taccept\n\t\toifname')],
    ['with another interface', list.replace('ens3', 'ens4')],
    ['with a policy that drops', list.replace('policy accept', 'policy drop')],
    ['with an empty chain', list.replace(/\t\t.*\n/g, '')],
    ['without a chain', 'table ip slipway_nat {\n}\n'],
  ])('returns another name for a list %s', (_, changed) => {
    expect(listedNat(changed)).not.toBe(natName(rules));
  });
});
