import { describe, expect, test } from 'vitest';
import { listedRules, renderRuleset, rulesName } from '../../../../../src/agent/parts/network/ruleset.ts';

const address = '169.254.169.254';
const allow = [
  { name: 'backup', from: '10.42.3.0/24' },
  { name: 'monitor', uid: 104 },
  { name: 'monitor, too', uid: 104 },
];

test("renderRuleset replaces Slipway's table in one step, and changes no other table", () => {
  const refuse = rulesName({ services: [{ address }], allow });
  expect(renderRuleset({ services: [{ address }], allow })).toBe(`\
# Written by Slipway: who may ask the instance metadata service for the identity of this VM.
table inet slipway_imds
delete table inet slipway_imds
table inet slipway_imds {
	chain ${refuse} {
		meta l4proto tcp reject with tcp reset
		reject
	}
	chain forward {
		type filter hook forward priority 0; policy accept;
		ip daddr 169.254.169.254 ip saddr 10.42.3.0/24 accept comment "backup"
		ip daddr 169.254.169.254 jump ${refuse}
	}
	chain output {
		type filter hook output priority 0; policy accept;
		ip daddr 169.254.169.254 meta skuid != { 0, 104 } jump ${refuse}
	}
}
`);
});

test('rulesName returns a different name for different rules', () => {
  const names = [
    rulesName({ services: [{ address }], allow: [] }),
    rulesName({ services: [{ address }], allow }),
    rulesName({ services: [{ address: '169.254.169.253' }], allow }),
    rulesName({ services: [{ address }], allow: allow.slice(1) }),
    rulesName({ services: [{ address, only: { protocol: 'tcp', port: 80 } }], allow }),
    rulesName({ services: [{ address, only: { protocol: 'udp', port: 80 } }], allow }),
  ];
  expect(new Set(names).size).toBe(6);
  expect(names[0]).toMatch(/^refuse_[0-9a-f]{12}$/);
});

describe('listedRules', () => {
  const name = 'refuse_0123456789ab';
  const jump = `ip daddr ${address} jump ${name}`;
  const list = ({ refusal = 'reject', forward = jump } = {}) => `\
table inet slipway_imds {
	chain ${name} {
		meta l4proto tcp reject with tcp reset
		${refusal}
	}

	chain forward {
		${forward}
	}

	chain output {
		ip daddr 169.254.169.254 meta skuid != 0 jump ${name}
	}
}
`;

  test.each([
    ['returns the name of the rules in a complete list', {}, name],
    [
      'returns the name if nft prints the rejection in full',
      { refusal: 'reject with icmpx port-unreachable' },
      name,
    ],
    ['returns incomplete without a jump for forwarded packets', { forward: '' }, 'incomplete'],
    ['returns incomplete without a rejection', { refusal: 'accept' }, 'incomplete'],
    [
      'returns incomplete with the jump only in a comment',
      { forward: `accept comment "jump ${name}"` },
      'incomplete',
    ],
    [
      'returns incomplete with the rejection only in a comment',
      { refusal: 'accept comment "reject with x"' },
      'incomplete',
    ],
    [
      'returns incomplete if the first rule accepts everything',
      { forward: `accept\n\t\t${jump}` },
      'incomplete',
    ],
    [
      'returns incomplete with an additional rule',
      { forward: `ip daddr ${address} accept\n\t\t${jump}` },
      'incomplete',
    ],
    [
      'returns incomplete if the jumps lead to different chains',
      { forward: 'ip daddr 169.254.169.254 jump refuse_000000000000' },
      'incomplete',
    ],
  ])('%s', (_, changes, found) => {
    expect(listedRules(list(changes), { services: [{ address }], allow: [] })).toBe(found);
  });

  test.each([
    ['ip daddr 169.254.169.254 ip saddr 10.42.3.0/24 accept comment "backup"', name],
    ['ip daddr 169.254.169.254 accept comment "backup"', name],
    ['accept comment "backup"', 'incomplete'],
    ['', 'incomplete'],
  ])('given the accept rule "%s" for an allowed client, returns %s', (accept, found) => {
    expect(listedRules(list({ forward: `${accept}\n\t\t${jump}` }), { services: [{ address }], allow })).toBe(
      found,
    );
  });

  test('returns the name for a guard of one port only if the list has that port', () => {
    const only = { protocol: 'tcp', port: 80 } as const;
    const narrow = list().replaceAll(`ip daddr ${address}`, `ip daddr ${address} tcp dport 80`);
    expect(listedRules(narrow, { services: [{ address, only }], allow: [] })).toBe(name);
    expect(listedRules(list(), { services: [{ address, only }], allow: [] })).toBe('incomplete');
    expect(listedRules(list(), { services: [{ address }], allow: [] })).toBe(name);
  });

  test('returns the name if nft lists many users on several lines', () => {
    const users = list().replace('!= 0 jump', '!= { 0, 104,\n\t\t\t\t     105 } jump');
    expect(listedRules(users, { services: [{ address }], allow: [] })).toBe(name);
  });

  test('returns incomplete for an empty table', () => {
    expect(listedRules('table inet slipway_imds {\n}\n', { services: [{ address }], allow: [] })).toBe(
      'incomplete',
    );
  });
});
