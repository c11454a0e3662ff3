/**
 * Tests the platforms of the lab without starting nodes: the command line, and the settings as an offline machine loads
 * them.
 */
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { clouds } from '../../src/agent/clouds/index.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { load } from '../../src/agent/settings/load.ts';
import { exampleFiles } from '../lab/example-settings.ts';
import { memoryHost } from '../lab/memory-host.ts';
import { platforms } from '../lab/platforms/index.ts';
import { addedLines, labFile } from '../lab/platforms/lab-settings.ts';
import { natPlan } from '../lab/platforms/nat-plan.ts';
import { filesOf } from '../lab/platforms/vps.ts';
import { runProgram } from '../lab/processes.ts';

const ground = {
  token: 'canary',
  port: 16_443,
  dir: '/lab',
  internet: { proxyUrl: 'http://127.0.0.1:3128', caFile: '/lab/ca.pem' },
};

test.each([
  [['platform'], 'A platform is azure, oracle, vps, not nothing.'],
  [['platform', 'moon'], 'A platform is azure, oracle, vps, not moon.'],
  [['platform', 'vps', 'oracle'], 'A platform is azure, oracle, vps, not vps oracle.'],
  [['platform', 'oracle', '--joined-by', 'wireguard'], 'The nodes of oracle cannot be joined by wireguard.'],
  [['platform', 'vps', '--joined-by', 'string'], 'The nodes of vps cannot be joined by string.'],
  [['servers'], 'The lab brings up 3 or 5 servers, not nothing.'],
  [['servers', '2'], 'The lab brings up 3 or 5 servers, not 2.'],
  [['platform', 'vps', '--kept'], "Unknown option '--kept'"],
])('npm run lab refuses %j, and shows its usage', async (args, message) => {
  const script = resolve('test/lab/control.ts');
  const { exitCode, stderr } = await runProgram(process.execPath, [script, ...args], {});
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
  expect(stderr).toContain('npm run lab -- platform azure|oracle|vps [--keep]');
  expect(stderr).toContain('vps: --joined-by private-network|wireguard');
});

test('each cloud has a platform of the lab, and no two platforms share a name', () => {
  const names = Object.values(platforms).map(({ name }) => name);
  expect(Object.keys(platforms)).toEqual(Object.keys(clouds));
  expect(new Set(names).size).toBe(names.length);
});

test.each(platforms.static.joinedBy)(
  'VPSs joined by %s have different addresses on a machine without a default route',
  async (joinedBy) => {
    const nodes = ['server', 'agent'].map((name) =>
      filesOf(name, { ...ground, joinedBy, address: undefined }),
    );
    const settings = await Promise.all(nodes.map(async (files) => (await loaded(files)).settings.static));
    const [server, agent] = settings;
    expect([server?.address, agent?.address]).toEqual(['10.0.0.2', '10.0.0.3']);
    expect(server?.externalAddress).toBe(joinedBy === 'wireguard' ? '203.0.113.2' : undefined);
    expect(agent?.secrets).toEqual({ 'k3s-token': '/lab/agent/etc/slipway/k3s-token' });
  },
);

test('a VPS of the lab keeps the user data of the example unchanged', () => {
  const files = filesOf('agent', { ...ground, joinedBy: 'private-network', address: '192.0.2.7' });
  const example = exampleFiles('vps-private-network-agent', {
    slipway_url: 'https://example.com/slipway',
    slipway_sha256: '0'.repeat(64),
    k3s_token: 'canary',
    private_range: '192.0.2.7/32',
    server_address: 'https://127.0.0.1:16443',
  });
  expect(files.slice(0, -1)).toEqual(example);
  expect(files.at(-1)?.path).toBe('/etc/slipway/config.d/lab.yaml');
});

test('the lab lists each setting that it adds, and the reason for it', () => {
  const settings = { 'network.proxy': 'http://127.0.0.1:1', 'k3s.config.https-listen-port': 2 };
  expect(labFile(settings).content).toBe(
    'network:\n  proxy: http://127.0.0.1:1\nk3s:\n  config:\n    https-listen-port: 2\n',
  );
  expect(addedLines([{}, settings]).map((line) => line.split(' ')[0])).toEqual([
    'network.proxy',
    'k3s.config.https-listen-port',
  ]);
});

test('the plan that the lab shows for NAT contains the rules, and no step that waits or fails', async () => {
  const content = 'network: { nat: { from: [10.0.2.0/24] } }\ncloud: static\n';
  const lines = await natPlan([{ path: '/etc/slipway/config.yaml', content, mode: 0o600 }]);
  expect(lines.join('\n')).toContain('ip saddr 10.0.2.0/24 masquerade');
  expect(lines.filter((line) => /^(wait|stop|note)/.test(line))).toEqual([]);
});

function loaded(files: ReturnType<typeof filesOf>) {
  const found = files.map(({ path, content, mode }) => [path, { content, mode }] as const);
  return load(memoryHost({ files: Object.fromEntries(found) }), { paths: nodePaths('/') });
}
