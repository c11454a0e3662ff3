import { describe, expect, test } from 'vitest';
import { renderConfig } from '../../../../../../../src/agent/parts/k3s/config/config.ts';
import { kindOf, membershipKinds } from '../../../../../../../src/agent/parts/k3s/membership/kinds/kinds.ts';
import { aNode } from '../../../../a-node.ts';

describe('kindOf', () => {
  test.each([
    ['server', 'firstServer'],
    ['agent', 'agent'],
    ['observability', 'agent'],
  ] as const)('returns for the role %s the kind %s', (role, kind) => {
    expect(kindOf(aNode(role)).name).toBe(kind);
  });
});

describe('membershipKinds', () => {
  test.each(Object.entries(membershipKinds))('the key %s is the name of its kind', (key, { name }) => {
    expect(name).toBe(key);
  });

  test.each(Object.values(membershipKinds))('$name writes no key that it forbids', (kind) => {
    const node = aNode('agent', { server: 'https://10.0.0.4:6443' });
    const keys = Object.keys(kind.writes(node, { hasAgentToken: true }));
    expect(keys.filter((key) => kind.forbids.includes(key))).toEqual([]);
  });

  test('agents use the token for agents, and servers never do', () => {
    const settings = { joinToken: { agentSecretName: 'for-agents' } };
    const names = Object.values(membershipKinds).map((kind) => [
      kind.name,
      kind.tokenSecret(aNode('server', { settings }).settings),
    ]);
    expect(Object.fromEntries(names)).toEqual({
      agent: 'for-agents',
      firstServer: 'k3s-token',
      joiningServer: 'k3s-token',
    });
  });
});

test('a key that the kind forbids makes the configuration invalid', () => {
  const node = aNode('server', { settings: { k3s: { config: { server: 'https://10.0.0.9:6443' } } } });
  expect(() => renderConfig(node)).toThrow(/server does not belong on a server that founds its cluster/);
});
