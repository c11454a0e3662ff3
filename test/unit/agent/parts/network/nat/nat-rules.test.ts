import { describe, expect, test } from 'vitest';
import {
  isWholeNat,
  listedNat,
  natName,
  outsideIn,
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

test.each([
  ['has a character before the indentation', '#\t\tip saddr 10.0.9.0/24 masquerade\n'],
  ['continues after masquerade', '\t\tip saddr 10.0.9.0/24 masquerade random\n'],
])('rangesIn ignores a line that %s', (_, line) => {
  expect(rangesIn(renderNat(rules) + line)).toEqual(['10.0.2.0/24', '10.0.3.0/24']);
});

test.each([
  ['a file that renderNat rendered', renderNat(rules), 'ens3'],
  ['an empty file', '', undefined],
  ['a file that does not name the interface', '\t\toifname != "" return\n', undefined],
  ['a commented line', '#\t\toifname != "ens3" return\n', undefined],
  ['a line with further text', '\t\toifname != "ens3" return comment "x"\n', undefined],
])('outsideIn returns $2 for $0', (_, text, outside) => {
  expect(outsideIn(text)).toBe(outside);
});

describe('isWholeNat', () => {
  test('is true for a file that renderNat rendered', () => {
    expect(isWholeNat(renderNat(rules))).toBe(true);
  });

  test.each([
    ['is empty', ''],
    ['lacks its end', renderNat(rules).slice(0, -4)],
    ['lacks the interface', renderNat(rules).replace(/.*oifname.*\n/, '')],
    ['lacks a range', renderNat(rules).replace(/.*10.0.2.0\/24 masquerade\n/, '')],
    ['lacks a destination', renderNat(rules).replace(/.*10.0.2.0\/24 return\n/, '')],
  ])('is false for a file that %s', (_, text) => {
    expect(isWholeNat(text)).toBe(false);
  });
});

describe('listedNat', () => {
  const list = renderNat(rules)
    .replace(/^.*\n.*\n.*\n/, '')
    .replace('priority 100', 'priority srcnat');

  test('returns the name of the wanted rules if nft lists exactly these rules', () => {
    expect(listedNat(list)).toBe(natName(rules));
  });

  test('ignores lines that are indented deeper than a rule', () => {
    expect(listedNat(list.replace('\t\toifname', '\t\t\tcounter\n\t\toifname'))).toBe(natName(rules));
  });

  test.each([
    ['text before the hook', list.replace('\t\ttype', '\t\tx type')],
    ['text after the hook', list.replace('accept;', 'accept; x')],
  ])('returns incomplete for a list with %s', (_, changed) => {
    expect(listedNat(changed)).toBe('incomplete');
  });

  test.each([
    ['without a range', list.replace(/.*10\.0\.3\.0\/24 masquerade\n/, '')],
    ['with an additional rule', list.replace('\t\toifname', '\t\taccept\n\t\toifname')],
    ['with another interface', list.replace('ens3', 'ens4')],
    ['with a policy that drops', list.replace('policy accept', 'policy drop')],
    ['with an empty chain', list.replace(/\t\t.*\n/g, '')],
    ['without a chain', 'table ip slipway_nat {\n}\n'],
  ])('returns a different name for a list %s', (_, changed) => {
    expect(listedNat(changed)).not.toBe(natName(rules));
  });
});
