import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import { recordingHost } from '../../../../../../src/agent/host/recording/recording-host.ts';
import { renderConfig } from '../../../../../../src/agent/parts/k3s/config/config.ts';
import { agentToken } from '../../../../../../src/agent/parts/k3s/membership/agent-token.ts';
import { FakeCloud } from '../../../../../lab/fake-cloud.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode, settle } from '../../../a-node.ts';

const path = '/var/lib/slipway/agent-token';
const settings = { joinToken: { agentSecretName: 'k3s-agent-token' } };
const cloudWith = (token: string) => new FakeCloud({ secrets: { 'k3s-agent-token': token } });

test.each([
  ['a server whose agents have a separate token', aNode('server', { settings }), 1],
  ['a server whose agents use its token', aNode('server'), 0],
  ['an agent', aNode('agent', { settings }), 0],
])('agentToken manages a file only on a server with a separate agent token: %s', (_name, node, expected) => {
  expect(agentToken(node, cloudWith('x'), [])).toHaveLength(expected);
  expect(renderConfig(node).includes(`agent-token-file: "${path}"`)).toBe(expected === 1);
});

test.each([
  ['agents-only', 'agents-only\n'],
  [`K10${'a1'.repeat(32)}::node:agents-only`, 'agents-only\n'],
])("agentToken writes only the password that the vault's token contains: %j", async (token, written) => {
  const host = memoryHost();
  const [resource] = agentToken(aNode('server', { settings }), cloudWith(token), []);
  expect(resource && (await settle(resource, host))).toEqual(['Drifted file', 'InSync']);
  expect(await host.readFile(path)).toMatchObject({ content: written, mode: 0o600 });
});

test('agentToken writes a new token from the vault once the next comparison is due', async () => {
  const host = memoryHost();
  const cloud = cloudWith('old');
  const [resource] = agentToken(aNode('server', { settings }), cloud, []);
  if (resource) {
    await settle(resource, host);
  }
  cloud.secrets.set('k3s-agent-token', 'new');
  host.advance(2 * 3_600_000);
  expect(resource && (await settle(resource, host))).toEqual([
    'Drifted (non-blocking) compared with the vault',
    'InSync',
  ]);
  expect((await host.readFile(path))?.content).toBe('new\n');
});

describe('agentToken on a server that has not started yet', () => {
  const held = (content: string) => memoryHost({ files: { [path]: { content, mode: 0o600 } } });

  test('replaces a token that K3s would refuse', async () => {
    const host = held('two words\n');
    const [resource] = agentToken(aNode('server', { settings }), cloudWith('agents-only'), []);
    expect(await resource?.check(host)).toMatchObject({ drift: { changes: [{ observed: 'unusable' }] } });
    expect(resource && (await settle(resource, host))).toEqual(['Drifted token', 'InSync']);
    expect(host.files.text(path)).toBe('agents-only\n');
  });

  test('writes nothing while the vault does not answer', async () => {
    const host = held('two words\n');
    const cloud = cloudWith('agents-only');
    cloud.fail('secret', new NodeError('VaultUnavailable', 'down'));
    const [resource] = agentToken(aNode('server', { settings }), cloud, []);
    expect(resource && (await settle(resource, host))).toEqual(['Drifted token', 'VaultUnavailable (time)']);
    expect(host.files.text(path)).toBe('two words\n');
  });

  test('keeps a token that cannot be compared with the vault', async () => {
    const host = held('agents-only\n');
    const cloud = cloudWith('agents-only');
    cloud.fail('secret', new NodeError('VaultUnavailable', 'down'));
    host.advance(2 * 3_600_000);
    const [resource] = agentToken(aNode('server', { settings }), cloud, []);
    expect(resource && (await settle(resource, host))).toEqual([
      'Drifted (non-blocking) compared with the vault',
      'VaultUnavailable (time)',
    ]);
    expect(host.files.text(path)).toBe('agents-only\n');
  });

  test('writes a placeholder for the token in a dry run', async () => {
    const dry = recordingHost(memoryHost());
    const [resource] = agentToken(aNode('server', { settings }), cloudWith('agents-only'), []);
    const finding = await resource?.check(dry);
    if (finding?.state === 'Drifted') {
      await finding.drift.remedy(dry);
    }
    expect((await dry.readFile(path))?.content).toContain('‹redacted›');
  });
});

test('agentToken takes the number of its attempts and their interval from the settings', () => {
  const paced = { joinToken: { ...settings.joinToken, attempts: 7, interval: '9s' } };
  const [resource] = agentToken(aNode('server', { settings: paced }), cloudWith('x'), []);
  expect(resource?.pacing).toEqual({ attempts: 7, every: 9_000 });
});

describe('agentToken on a server that has started with a token', () => {
  const machine = (written: string) =>
    memoryHost({
      files: {
        '/var/lib/rancher/k3s/server/token': 'K10::server:own',
        '/var/lib/rancher/k3s/server/agent-token': `K10${'a1'.repeat(32)}::node:agents-only\n`,
        [path]: { content: written, mode: 0o600 },
      },
    });
  const vaultIsDown = new NodeError('VaultUnavailable', 'down');

  test.each([
    {
      name: 'the token that K3s started with',
      written: 'agents-only\n',
      vault: 'agents-only',
      outcomes: ['InSync'],
      kept: 'agents-only\n',
    },
    {
      name: 'a line added by hand',
      written: 'agents-only\n# mine\n',
      vault: 'agents-only',
      outcomes: ['Drifted token', 'InSync'],
      kept: 'agents-only\n',
    },
    {
      name: 'a deleted token file',
      written: undefined,
      vault: 'agents-only',
      outcomes: ['Drifted file', 'InSync'],
      kept: 'agents-only\n',
    },
    {
      name: 'a different token written by hand',
      written: 'mine\n',
      vault: 'agents-only',
      outcomes: ['Drifted token', 'InSync'],
      kept: 'agents-only\n',
    },
    {
      name: 'a new token for which K3s has not restarted yet',
      written: 'new\n',
      vault: 'new',
      outcomes: ['Drifted token', 'ServiceStarting (time, non-blocking)'],
      kept: 'new\n',
    },
    {
      name: 'a different token written by hand while the vault is down',
      written: 'mine\n',
      vault: vaultIsDown,
      outcomes: ['Drifted token', 'VaultUnavailable (time)'],
      kept: 'agents-only\n',
    },
  ])('reports $outcomes for $name', async ({ written, vault, outcomes, kept }) => {
    const host = machine(written ?? '');
    const cloud = cloudWith(typeof vault === 'string' ? vault : '');
    if (written === undefined) {
      host.files.remove(path);
    }
    if (vault instanceof NodeError) {
      cloud.fail('secret', vault);
    }
    const [resource] = agentToken(aNode('server', { settings }), cloud, []);
    expect(resource && (await settle(resource, host))).toEqual(outcomes);
    expect((await host.readFile(path))?.content).toBe(kept);
  });

  test('does not rewrite the token while it cannot be compared with the vault', async () => {
    const host = machine('agents-only\n');
    const cloud = cloudWith('agents-only');
    cloud.fail('secret', vaultIsDown);
    host.advance(2 * 3_600_000);
    const [resource] = agentToken(aNode('server', { settings }), cloud, []);
    expect(resource && (await settle(resource, host))).toEqual([
      'Drifted (non-blocking) compared with the vault',
      'VaultUnavailable (time)',
    ]);
    expect(host.journal.filter(({ kind }) => kind === 'write')).toEqual([]);
  });

  test('does not restore the token of K3s if a defect of Slipway makes the request fail', async () => {
    const host = machine('mine\n');
    const cloud = cloudWith('agents-only');
    cloud.secret = () => Promise.reject(new TypeError('bug'));
    const [resource] = agentToken(aNode('server', { settings }), cloud, []);
    expect(resource && (await settle(resource, host))).toEqual(['Drifted token', 'Error: bug']);
    expect(host.files.text(path)).toBe('mine\n');
  });

  test('describes a token written by hand as different from the token of K3s', async () => {
    const [resource] = agentToken(aNode('server', { settings }), cloudWith('agents-only'), []);
    expect(await resource?.check(machine('mine\n'))).toMatchObject({
      drift: { changes: [{ observed: 'another' }] },
    });
  });
});
