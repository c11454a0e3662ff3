import { expect, test } from 'vitest';
import { agentToken } from '../../../../src/agent/k3s/agent-token.ts';
import { renderConfig } from '../../../../src/agent/k3s/config.ts';
import { FakeCloud } from '../../../lab/fake-cloud.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { aNode, settle } from './a-node.ts';

const path = '/var/lib/slipway/agent-token';
const settings = { joinToken: { agentSecretName: 'k3s-agent-token' } };
const cloudWith = (token: string) => new FakeCloud({ secrets: { 'k3s-agent-token': token } });

test.each([
  ['a server, where agents have a token of their own', aNode('server', { settings }), 1],
  ['a server, where they have not', aNode('server'), 0],
  ['an agent', aNode('agent', { settings }), 0],
])('%s', (_name, node, expected) => {
  expect(agentToken(node, cloudWith('x'), [])).toHaveLength(expected);
  expect(renderConfig(node).includes(`agent-token-file: "${path}"`)).toBe(expected === 1);
});

test.each([
  ['agents-only', 'agents-only\n'],
  [`K10${'a1'.repeat(32)}::node:agents-only`, 'agents-only\n'],
])('K3s gets the password of %j', async (token, written) => {
  const host = memoryHost();
  const [resource] = agentToken(aNode('server', { settings }), cloudWith(token), []);
  expect(resource && (await settle(resource, host))).toEqual(['Drifted file', 'InSync']);
  expect(await host.readFile(path)).toMatchObject({ content: written, mode: 0o600 });
});

test('another token in the vault is taken over', async () => {
  const host = memoryHost();
  const cloud = cloudWith('old');
  const [resource] = agentToken(aNode('server', { settings }), cloud, []);
  if (resource) await settle(resource, host);
  cloud.secrets.set('k3s-agent-token', 'new');
  host.advance(2 * 3_600_000);
  expect(resource && (await settle(resource, host))).toEqual([
    'Drifted tolerably compared with the vault',
    'InSync',
  ]);
  expect((await host.readFile(path))?.content).toBe('new\n');
});
