import { expect, test } from 'vitest';
import { passwordsSaved } from '../../../../../../src/agent/parts/k3s/rotation/passwords-saved.ts';
import { aNode, settle } from '../../../a-node.ts';
import { type RotatingServer, rotatingServer } from './a-rotation.ts';

const agentToken = '/var/lib/rancher/k3s/server/agent-token';
const settings = { joinToken: { agentSecretName: 'agents' } };

function server(password = 'agents-only'): RotatingServer {
  const made = rotatingServer(undefined);
  made.host.files.write(agentToken, `K10${'a1'.repeat(32)}::node:${password}\n`, 0o600);
  return made;
}

async function saved({ host }: RotatingServer): Promise<readonly string[]> {
  const [resource] = passwordsSaved(aNode('server', { settings }), []);
  return resource ? settle(resource, host) : [];
}

test.each([
  ['an agent', aNode('agent', { settings }), 0],
  ['a server whose agents use its token', aNode('server'), 0],
  ['a server with a token for agents', aNode('server', { settings }), 1],
])(
  'passwordsSaved returns Resources only for a server with a token for agents: %s',
  (_name, node, expected) => {
    expect(passwordsSaved(node, [])).toHaveLength(expected);
  },
);

test('passwordsSaved treats the tokens of the first start as saved', async () => {
  const made = server();
  await saved(made);
  expect(await saved(made)).toEqual(['InSync']);
  expect(made.requests).toEqual([]);
});

test('passwordsSaved makes K3s save its passwords once after the token of the agents has changed', async () => {
  const made = server();
  await saved(made);
  made.host.files.write(agentToken, `K10${'a1'.repeat(32)}::node:another\n`, 0o600);
  await saved(made);
  await saved(made);
  expect(made.requests).toEqual(['swordfish -> swordfish']);
});

test('passwordsSaved tries again if K3s refuses', async () => {
  const made = server();
  await saved(made);
  made.host.files.write(agentToken, `K10${'a1'.repeat(32)}::node:another\n`, 0o600);
  made.answers.push(500);
  expect((await saved(made)).at(-1)).toBe('TokenRotationFailed (person, non-blocking)');
  await saved(made);
  expect(made.requests).toHaveLength(2);
});

test('passwordsSaved does nothing while K3s is not up', async () => {
  const made = server();
  made.unit.ActiveState = 'activating';
  expect(await saved(made)).toEqual(['InSync']);
  expect(made.host.journal).toEqual([]);
});

test('passwordsSaved makes its note private again without a request to K3s', async () => {
  const note = '/var/lib/slipway/passwords-saved.json';
  const made = server();
  await saved(made);
  made.host.files.changeMode(note, 0o666);
  await saved(made);
  expect(made.host.files.stat(note)?.mode).toBe(0o600);
  expect(made.requests).toEqual([]);
});
