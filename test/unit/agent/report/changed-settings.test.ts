import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { redacted } from '../../../../src/agent/engine/secret.ts';
import { nodePaths } from '../../../../src/agent/paths.ts';
import { changedSettings } from '../../../../src/agent/report/changed-settings.ts';
import { load } from '../../../../src/agent/settings/load.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

function loaded(text: string) {
  const host = memoryHost({ files: { '/etc/slipway/config.yaml': text } });
  return load(host, { paths: nodePaths('/') });
}

test('changedSettings lists the settings that differ between two configurations, without secrets', async () => {
  const secret = (password: string) =>
    `configs: { ghcr.io: { auth: { username: robot, password: ${password} } } }`;
  const before = await loaded(`role: agent\nregistries: { ${secret('canary-1')} }\n`);
  const after = await loaded(
    `role: server\nk3s: { config: { debug: true } }\nregistries: { servers: [a.azurecr.io], ${secret('canary-2')} }\n`,
  );
  const changes = changedSettings(before, after);
  expect(JSON.parse(JSON.stringify(changes))).toEqual([
    { path: 'role', before: 'agent', after: 'server' },
    { path: 'registries.servers', before: [], after: ['a.azurecr.io'] },
    { path: 'registries.configs."ghcr.io".auth.password', before: redacted, after: redacted },
    { path: 'k3s.config.debug', after: true },
  ]);
  expect(inspect(changes)).not.toContain('canary');
  expect(
    changedSettings(after, before)
      .map(({ path }) => path)
      .toSorted(),
  ).toEqual(changes.map(({ path }) => path).toSorted());
  expect(changedSettings(before, before)).toEqual([]);
});

test('changedSettings treats an unreadable configuration as one without settings', async () => {
  const after = await loaded('role: server\n');
  expect(changedSettings(undefined, undefined)).toEqual([]);
  expect(changedSettings(undefined, after)).toContainEqual({
    path: 'role',
    before: undefined,
    after: 'server',
  });
});
