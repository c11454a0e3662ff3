import { describe, expect, test } from 'vitest';
import { listedRules, renderRuleset, rulesName } from '../../../../src/agent/imds/ruleset.ts';

const address = '169.254.169.254';
const allow = [
  { name: 'backup', from: '10.42.3.0/24' },
  { name: 'monitor', uid: 104 },
  { name: 'monitor, too', uid: 104 },
];

test('the file replaces our table at once, and touches no other', () => {
  expect(renderRuleset({ address, allow })).toBe(`\
# Written by Slipway: who may ask the instance metadata service for the identity of this VM.
table inet slipway_imds
delete table inet slipway_imds
table inet slipway_imds {
	chain ${rulesName({ address, allow })} {
	}
	chain forward {
		type filter hook forward priority 0; policy accept;
		ip daddr 169.254.169.254 ip saddr 10.42.3.0/24 accept comment "backup"
		ip daddr 169.254.169.254 reject
	}
	chain output {
		type filter hook output priority 0; policy accept;
		ip daddr 169.254.169.254 meta skuid != { 0, 104 } reject
	}
}
`);
});

test('other rules have another name', () => {
  const names = [
    rulesName({ address, allow: [] }),
    rulesName({ address, allow }),
    rulesName({ address: '169.254.169.253', allow }),
    rulesName({ address, allow: allow.slice(1) }),
  ];
  expect(new Set(names).size).toBe(4);
  expect(names[0]).toMatch(/^rules_[0-9a-f]{12}$/);
});

describe('a list of the table', () => {
  const name = 'rules_0123456789ab';
  const list = (forward: string, output = 'meta skuid != 0 reject with icmp port-unreachable') =>
    `table inet slipway_imds {\n\tchain ${name} {\n\t}\n\tchain forward {\n\t\t${forward}\n\t}\n\tchain output {\n\t\t${output}\n\t}\n}\n`;

  test.each([
    ['as nft 1.0 writes it', list('ip daddr 169.254.169.254 reject with icmp port-unreachable'), name],
    ['in short', list('ip daddr 169.254.169.254 reject'), name],
    ['of a chain that was emptied', list(''), 'incomplete'],
    ['with a name that speaks of it', list('ip saddr 10.0.0.1 accept comment "to reject"'), 'incomplete'],
    [
      'with a rule that speaks of it',
      list('ip saddr 10.0.0.1 accept comment "reject with x"'),
      'incomplete',
    ],
    ['of another table', 'table inet slipway_imds {\n}\n', 'incomplete'],
  ])('%s', (_, text, found) => {
    expect(listedRules(text)).toBe(found);
  });
});
