import { expect, test } from 'vitest';
import { nodePaths } from '../../../../src/agent/paths.ts';
import { explain, shownSettings } from '../../../../src/agent/settings/explain.ts';
import { load } from '../../../../src/agent/settings/load.ts';
import { withTags } from '../../../../src/agent/settings/tags.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

const yaml = `
node: { labels: [team=web, tier=front] }
registries:
  configs:
    docker.io: { auth: { username: me, password: canary-1, auth: Y2FuYXJ5OjI=, identity_token: canary-3 } }
`;

async function explained() {
  const host = memoryHost({ files: { '/etc/slipway/config.yaml': yaml } });
  const loaded = await load(host, {
    paths: nodePaths('/'),
    commandLine: [{ option: '--log-level', path: 'log.level', value: 'debug' }],
  });
  return withTags(loaded, { 'k3s-role': 'server' }).loaded;
}

test('explain shows each value as written, with its origin', async () => {
  const lines = explain(await explained()).split('\n');
  expect(lines.map((line) => line.replace(/ +#/, ' #'))).toEqual(
    expect.arrayContaining([
      'cloud: static # auto: no cloud detected',
      'role: server # tag k3s-role',
      'node.labels: [team=web, tier=front] # /etc/slipway/config.yaml',
      'joinToken.interval: 10s # default',
      'registries.mirrors: {} # default',
      'registries.configs."docker.io".auth.username: me # /etc/slipway/config.yaml',
      'registries.configs."docker.io".auth.password: ‹redacted› # /etc/slipway/config.yaml',
      'log.level: debug # command line --log-level',
    ]),
  );
});

test('explain aligns the origins and keeps the order of the reference', async () => {
  const lines = explain(await explained())
    .split('\n')
    .filter((line) => line.length < 100 && line !== '');
  expect(new Set(lines.map((line) => line.lastIndexOf('# '))).size).toBe(1);
  expect(lines[0]).toMatch(/^role: /);
});

test('shownSettings returns path, value and origin of each setting', async () => {
  const entries = shownSettings(await explained());
  expect(entries).toContainEqual({ path: 'role', value: 'server', origin: 'tag k3s-role' });
  expect(entries).toContainEqual({ path: 'joinToken.attempts', value: 30, origin: 'default' });
});

test('explain and shownSettings hide every secret', async () => {
  const loaded = await explained();
  const everything = explain(loaded) + JSON.stringify([shownSettings(loaded), loaded.settings]);
  expect(everything).not.toMatch(/canary|Y2FuYXJ5/);
  expect(loaded.settings.registries.configs['docker.io']?.auth?.password?.reveal()).toBe('canary-1');
});
