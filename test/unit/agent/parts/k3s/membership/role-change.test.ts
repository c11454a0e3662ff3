import { describe, expect, test } from 'vitest';
import { type Finding, inSync, waiting } from '../../../../../../src/agent/engine/resource.ts';
import type { K3sNode } from '../../../../../../src/agent/node.ts';
import { pinnedCa } from '../../../../../../src/agent/parts/k3s/membership/ca.ts';
import { keepingRole } from '../../../../../../src/agent/parts/k3s/membership/kept-role.ts';
import {
  type RoleChangePorts,
  roleChange as roleChangeWith,
} from '../../../../../../src/agent/parts/k3s/membership/role-change.ts';
import type { Role } from '../../../../../../src/roles/role.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode, outcome, settle } from '../../../a-node.ts';
import { aCa } from './certificates.ts';

const unitFile = '/etc/systemd/system/k3s.service';
const agentUnit = '/etc/systemd/system/k3s-agent.service';
const hash = 'a1b2c3d4e5f6'.padEnd(64, '0');
const change = `server-to-agent@${hash.slice(0, 12)}`;
const consent = { settings: { consent: { roleChange: [change] } } };
const legacy = { settings: { consent: { roleChange: true } } };
const consentTo = (roleChange: string) => ({ settings: { consent: { roleChange: [roleChange] } } });

const ports: RoleChangePorts = { emptied: async () => undefined, held: async () => undefined };

function roleChange(node: K3sNode, needs: readonly string[], more: Partial<RoleChangePorts> = {}) {
  return roleChangeWith(node, needs, { ...ports, ...more });
}

/** Returns a VM that was installed as a server. */
function world(): MemoryHost {
  let state = 'ActiveState=active\nUnitFileState=enabled\n';
  return memoryHost({
    files: {
      [unitFile]: 'unit',
      '/var/lib/rancher/k3s/server/token': `K10${hash}::server:swordfish`,
      '/var/lib/slipway/join-token': 'swordfish',
      '/var/lib/slipway/agent-token': 'agents-only',
      '/var/lib/slipway/token-rotation.json': '{"state":"begun"}',
      '/var/lib/slipway/passwords-saved.json': '{"digest":"3f2a9c1b2d4e"}',
    },
    now: Date.UTC(2026, 0, 1, 12),
  })
    .on({ file: 'systemctl', args: /^show k3s\.service/ }, () => state)
    .on({ file: 'systemctl', args: ['disable', '--now', '--no-block', 'k3s.service'] }, () => {
      state = 'ActiveState=inactive\nUnitFileState=disabled\n';
      return '';
    });
}

test.each([
  { name: 'a new VM', role: 'agent', host: memoryHost(), changes: {}, expected: 'InSync' },
  { name: 'the same role', role: 'server', host: world(), changes: {}, expected: 'InSync' },
  {
    name: 'another role',
    role: 'observability',
    host: world(),
    changes: {},
    expected: 'RoleChanged (person)',
  },
  {
    name: 'another role with consent',
    role: 'agent',
    host: world(),
    changes: consent,
    expected: 'Drifted k3s.service',
  },
  {
    name: 'another role with consent to any change',
    role: 'agent',
    host: world(),
    changes: legacy,
    expected: 'Drifted k3s.service',
  },
  {
    name: 'another role with consent for an earlier cluster',
    role: 'agent',
    host: world(),
    changes: consentTo('server-to-agent@000000000000'),
    expected: 'RoleChanged (person)',
  },
  {
    name: 'another role with consent to the opposite change',
    role: 'agent',
    host: world(),
    changes: consentTo('agent-to-server'),
    expected: 'RoleChanged (person)',
  },
] as const)('roleChange reports $expected for $name', async ({ role, host, changes, expected }) => {
  expect(await outcome(roleChange(aNode(role, changes), []), host)).toBe(expected);
});

test('roleChange requests consent that names the old kind of node, the new kind and the cluster', async () => {
  const asked = await roleChange(aNode('agent'), [])
    .check(world())
    .catch((thrown: Error) => thrown.message);
  expect(asked).toContain(`add \`consent: { roleChange: [${change}] }\` to /etc/slipway/config.yaml`);
});

test('on an agent, roleChange requests consent that names the CA of the cluster, or no CA if the agent never joined', async () => {
  const ca = aCa();
  const units = { '/etc/systemd/system/k3s-agent.service': 'unit' };
  const asked = (host: MemoryHost) =>
    roleChange(aNode('server'), [])
      .check(host)
      .catch((thrown: Error) => thrown.message);
  const joined = memoryHost({ files: { ...units, '/var/lib/rancher/k3s/agent/server-ca.crt': ca } });
  expect(await asked(joined)).toContain(`[agent-to-server@${pinnedCa(ca).hash.slice(0, 12)}]`);
  expect(await asked(memoryHost({ files: units }))).toContain('[agent-to-server]');
});

test('roleChange treats an agent and an observability node as the same kind', async () => {
  const host = memoryHost({ files: { '/etc/systemd/system/k3s-agent.service': 'unit' } });
  expect(await outcome(roleChange(aNode('observability'), []), host)).toBe('InSync');
});

test('roleChange removes the old role step by step with consent, and keeps its data', async () => {
  const host = world();
  const seen = await settle(roleChange(aNode('agent', consent), []), host);
  expect(seen).toEqual([
    'Drifted k3s.service',
    'Drifted /var/lib/rancher/k3s',
    `Drifted ${unitFile}`,
    'InSync',
  ]);
  expect((await host.readFile('/var/lib/rancher/k3s.server-20260101T120000Z/server/token'))?.content).toBe(
    `K10${hash}::server:swordfish`,
  );
  for (const gone of [
    unitFile,
    '/var/lib/rancher/k3s',
    '/var/lib/slipway/join-token',
    '/var/lib/slipway/agent-token',
    '/var/lib/slipway/token-rotation.json',
    '/var/lib/slipway/passwords-saved.json',
  ]) {
    expect(await host.stat(gone)).toBeUndefined();
  }
});

test('roleChange completes after a crash at any step, and loses no data', async () => {
  for (const mutation of [1, 2, 3, 4, 5, 6, 7]) {
    const host = world().crashBefore(mutation);
    const resource = roleChange(aNode('agent', consent), []);
    await settle(resource, host);
    expect(host.crashed).toBe(true);
    expect((await settle(resource, host.restart())).at(-1)).toBe('InSync');
    expect(await host.list('/var/lib/rancher')).toEqual(['k3s.server-20260101T120000Z']);
  }
});

test('roleChange waits for a service that is stopping', async () => {
  const host = world().on(
    { file: 'systemctl', args: /^show/ },
    'ActiveState=deactivating\nUnitFileState=disabled\n',
  );
  expect(await roleChange(aNode('agent', consent), []).check(host)).toMatchObject({
    state: 'Waiting',
    reason: 'RoleChanged',
    after: 1_000,
  });
});

test('roleChange disables a service that was stopped by hand, so that no reboot starts it', async () => {
  const host = world().on(
    { file: 'systemctl', args: /^show/ },
    'ActiveState=inactive\nUnitFileState=enabled\n',
  );
  expect(await outcome(roleChange(aNode('agent', consent), []), host)).toBe('Drifted k3s.service');
});

test('roleChange requests consent that names the CA of the agent, not the CA of an earlier server on this VM', async () => {
  const [own, earlier] = [aCa(), aCa()];
  const host = memoryHost({
    files: {
      [agentUnit]: 'unit',
      '/var/lib/rancher/k3s.agent-20260101T120000Z/agent/server-ca.crt': own,
      '/var/lib/rancher/k3s.server-20250101T120000Z/agent/server-ca.crt': earlier,
    },
  });
  await expect(roleChange(aNode('server'), []).check(host)).rejects.toThrow(
    `[agent-to-server@${pinnedCa(own).hash.slice(0, 12)}]`,
  );
});

describe('keepingRole', () => {
  const asAgent = (...labels: readonly string[]) =>
    memoryHost({
      files: {
        [agentUnit]: 'unit',
        '/etc/rancher/k3s/config.yaml': `node-label: ${JSON.stringify(labels)}\n`,
      },
    });

  test.each([
    ['a new VM', memoryHost(), aNode('agent')],
    ['a VM installed with the same kind of role', world(), aNode('server')],
    ['a change of role with consent', world(), aNode('agent', consent)],
  ])('returns the wanted role for %s', async (_name, host, node) => {
    expect(await keepingRole(host, node, false)).toBe(node);
  });

  test('returns the server role, without a server to join, for a VM installed as a server', async () => {
    expect(await keepingRole(world(), aNode('agent'), false)).toMatchObject({
      role: { name: 'server' },
      wantedRole: { name: 'agent' },
      server: undefined,
    });
  });

  test.each([
    ['keeps the old role', 'enabled', 'server', 'agent'],
    ['goes on with the new role', 'disabled', 'agent', undefined],
  ])('for a held node with consent, %s while the old unit is %s', async (_, state, name, wanted) => {
    const host = world().on({ file: 'systemctl', args: /^show k3s\.service/ }, `UnitFileState=${state}\n`);
    const kept = await keepingRole(host, aNode('agent', consent), true);
    expect([kept.role.name, kept.wantedRole?.name]).toEqual([name, wanted]);
  });

  test('returns a held node whose allowed change of role waits for the end of the hold without blocking', async () => {
    const kept = await keepingRole(world(), aNode('agent', consent), true);
    const held = waiting('Held', 'by hand', { blocks: false });
    expect(await roleChange(kept, [], { held: async () => held }).check(world())).toBe(held);
    expect(await roleChange(kept, []).check(world())).toMatchObject({ reason: 'RoleChanged', blocks: false });
  });

  test.each([
    [[], 'agent'],
    [['disk=ssd'], 'agent'],
    [['disk=ssd', 'role=observability'], 'observability'],
    [['role=ingress'], 'ingress'],
  ])(
    'for a VM whose agent has the labels %j, returns the role %s, and keeps the server to join',
    async (labels, name) => {
      const node = aNode('server', { server: 'https://10.0.0.4:6443' });
      expect(await keepingRole(asAgent(...labels), node, false)).toMatchObject({
        role: { name },
        wantedRole: { name: 'server' },
        server: 'https://10.0.0.4:6443',
      });
    },
  );

  test('returns the node unchanged if no role qualifies', async () => {
    const node = aNode('server');
    expect(await keepingRole(asAgent(), node, false, [])).toBe(node);
  });

  test('returns the agent role even if the configuration of K3s is missing', async () => {
    const host = memoryHost({ files: { [agentUnit]: 'unit' } });
    expect((await keepingRole(host, aNode('server'), false)).role.name).toBe('agent');
  });

  test('returns a node whose pending change of role does not block its dependants', async () => {
    const kept = roleChange(await keepingRole(world(), aNode('agent'), false), []);
    expect(await outcome(kept, world())).toBe('RoleChanged (person, non-blocking)');
    const asked = await kept.check(world()).catch((thrown: Error) => thrown.message);
    expect(asked).toContain('installed as a K3s server (k3s.service), and the role agent is a K3s agent.');
    expect(asked).toContain(`[${change}]`);
  });
});

describe('an agent that becomes a server', () => {
  /** Returns a VM that runs as an agent, and is emptied after the given steps. */
  function anAgent(active: string, ...steps: readonly Finding[]) {
    const left = [...steps];
    const asked: string[] = [];
    const roles: Role[] = [];
    let state = `ActiveState=${active}\nUnitFileState=enabled\n`;
    const host = memoryHost({ files: { [agentUnit]: 'unit', '/var/lib/rancher/k3s/agent/x': 'y' } })
      .on({ file: 'systemctl', args: /^show k3s-agent\.service/ }, () => state)
      .on({ file: 'systemctl', args: ['disable', '--now', '--no-block', 'k3s-agent.service'] }, () => {
        state = 'ActiveState=inactive\nUnitFileState=disabled\n';
        return '';
      });
    const node = aNode('server', consentTo('agent-to-server'));
    const role = roleChange(node, [], {
      emptied: async (_, { role }, why) => {
        asked.push(`${role.k3s} ${why}`);
        roles.push(role);
        return left.shift();
      },
    });
    return { host, role, asked, roles };
  }

  test('is emptied before its K3s stops, and everything else waits meanwhile', async () => {
    const change = { field: 'pods', observed: undefined, desired: 'evicted' };
    const evict: Finding = {
      state: 'Drifted',
      drift: { changes: [change], blocks: false, remedy: async () => {} },
    };
    const wait = waiting('Draining', 'pods are ending', { blocks: false, isExpected: true });
    const { host, role, asked } = anAgent('active', evict, wait);
    expect(await role.check(host)).toMatchObject({ drift: { partial: true, blocks: true } });
    expect(await role.check(host)).toMatchObject({ reason: 'Draining', blocks: true });
    expect(await outcome(role, host)).toBe('Drifted k3s-agent.service');
    expect(asked).toEqual(Array(3).fill('agent agent-to-server'));
  });

  test('is emptied with the rights of an agent', async () => {
    const { host, role, roles } = anAgent('active');
    await role.check(host);
    expect(roles).toMatchObject([{ k3s: 'agent', gitops: false }]);
  });

  test('has a step of its emptying that is in sync passed on unchanged', async () => {
    const { host, role } = anAgent('active', inSync());
    expect(await role.check(host)).toEqual(inSync());
  });

  test('is not emptied if its K3s does not run', async () => {
    const { host, role, asked } = anAgent('failed', waiting('Draining', 'pods are ending'));
    expect(await outcome(role, host)).toBe('Drifted k3s-agent.service');
    expect(asked).toEqual([]);
  });
});

test('a server is not emptied before it becomes an agent, because its cluster ends with it', async () => {
  const emptied = async () => waiting('Draining', 'pods are ending');
  expect(await outcome(roleChange(aNode('agent', consent), [], { emptied }), world())).toBe(
    'Drifted k3s.service',
  );
});
