/** Tests roles that the settings define. */
import { describe, expect, test } from 'vitest';
import { roleOf } from '../../../src/agent/knowledge.ts';
import { renderConfig } from '../../../src/agent/parts/k3s/config/config.ts';
import { k3sSettingsProblems } from '../../../src/agent/parts/k3s/flags/config-keys.ts';
import { keepingRole } from '../../../src/agent/parts/k3s/membership/kept-role.ts';
import { nodePaths } from '../../../src/agent/paths.ts';
import { load } from '../../../src/agent/settings/load.ts';
import { withTags } from '../../../src/agent/settings/tags.ts';
import { agent } from '../../../src/roles/agent.ts';
import { server } from '../../../src/roles/server.ts';
import { memoryHost } from '../../lab/memory-host.ts';
import { aNode } from '../agent/a-node.ts';
import { problemsOf } from '../agent/settings/invalid.ts';

const gpu = 'roles: { gpu: { k3s: agent, labels: [role=gpu], taints: ["gpu=true:NoSchedule"] } }\n';

function loaded(yaml: string) {
  const host = memoryHost({ files: { '/etc/slipway/config.yaml': yaml } });
  return load(host, { paths: nodePaths('/'), check: k3sSettingsProblems });
}

describe('a role that the settings define', () => {
  test.each(['gpu', ' GPU '])('is chosen by the tag "%s"', async (tag) => {
    const { loaded: tagged } = withTags(await loaded(gpu), { 'k3s-role': tag });
    expect(roleOf(tagged)).toEqual({
      ...agent,
      name: 'gpu',
      summary: 'a role of the settings',
      labels: ['role=gpu'],
      taints: ['gpu=true:NoSchedule'],
    });
  });

  test('passes its labels and taints to K3s', async () => {
    const role = roleOf(await loaded(`${gpu}role: gpu\n`));
    expect(renderConfig(aNode(role))).toMatch(/role=gpu[\s\S]*gpu=true:NoSchedule/);
  });

  test('needs the memory of a server and hands over to GitOps if it runs k3s server', async () => {
    const role = roleOf(await loaded('roles: { control: { k3s: server } }\nrole: control\n'));
    expect(role).toEqual({ ...server, name: 'control', summary: 'a role of the settings' });
  });

  test('determines which keys k3s.config may have', async () => {
    const config = 'k3s: { config: { tls-san: [a] } }\nrole: gpu\n';
    expect(await problemsOf(() => loaded(gpu + config))).toEqual([
      expect.stringContaining('k3s.config.tls-san: is a key of k3s server, not of k3s agent'),
    ]);
    await expect(loaded(`${gpu.replace('k3s: agent', 'k3s: server')}${config}`)).resolves.toBeDefined();
  });

  test('is listed, and suggested as a correction, in the error about a misspelt role', async () => {
    const misspelt = await loaded(`${gpu}role: gpuu\n`);
    expect(() => roleOf(misspelt)).toThrow(/Did you mean gpu\? Set it to one of: server, .*, gpu\.$/);
  });

  test('stays the role of a node that was installed with it, until an operator consents to another kind of node', async () => {
    const host = memoryHost({
      files: {
        '/etc/systemd/system/k3s-agent.service': '[Service]\nExecStart=/usr/local/bin/k3s agent\n',
        '/etc/rancher/k3s/config.yaml': 'node-label:\n  - role=gpu\n',
      },
    });
    const { settings } = await loaded(gpu);
    const node = { ...aNode('server'), settings: { ...aNode('server').settings, roles: settings.roles } };
    expect((await keepingRole(host, node, false)).role.name).toBe('gpu');
  });
});

describe('the settings', () => {
  test.each([
    [
      'the name of a built-in role',
      'roles: { agent: { k3s: agent } }',
      'roles.agent: is a role of Slipway already',
    ],
    [
      'a name in upper case',
      'roles: { GPU: { k3s: agent } }',
      'roles.GPU: its name must have up to 63 lower-case letters',
    ],
    ['an unknown command', 'roles: { gpu: { k3s: node } }', 'roles.gpu.k3s: must be server or agent'],
    ['no command', 'roles: { gpu: { labels: [a=b] } }', 'roles.gpu.k3s: '],
    [
      'a label that kubelet may not set',
      'roles: { gpu: { k3s: agent, labels: ["node-role.kubernetes.io/gpu=true"] } }',
      'roles.gpu.labels[0]: is a label that kubelet may not give itself',
    ],
    [
      'a taint with an unknown effect',
      'roles: { gpu: { k3s: agent, taints: ["gpu=true:NoSchedul"] } }',
      'roles.gpu.taints[0]: must be a taint such as',
    ],
    ['an unknown key', 'roles: { gpu: { k3s: agent, label: [a=b] } }', 'roles.gpu.label: is not a setting'],
  ])('reject a role with %s', async (_, yaml, problem) => {
    expect(await problemsOf(() => loaded(yaml))).toEqual([expect.stringContaining(problem)]);
  });
});
